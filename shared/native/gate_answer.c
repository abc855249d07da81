/* gate_answer.h. One text under one lock, which is held for its copy only. */
#include "gate_answer.h"

#include "platform.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000u

static struct {
	struct doppel_answer_libobs libobs;
	bool installed;
	struct doppel_lock lock;
	char *json;
	uint64_t given_ns;
} answer;

int32_t doppel_gate_install_answer(const struct doppel_answer_libobs *libobs)
{
	if (answer.installed)
		return 0;
	if (libobs == NULL || libobs->size != sizeof *libobs || libobs->obs_data_create_from_json == NULL ||
	    libobs->obs_data_apply == NULL || libobs->obs_data_set_int == NULL || libobs->obs_data_release == NULL)
		return -1;
	answer.libobs = *libobs;
	answer.installed = true;
	return 0;
}

static char *copy_of(const char *text)
{
	const size_t bytes = strlen(text) + 1;
	char *copy = malloc(bytes);
	if (copy != NULL)
		memcpy(copy, text, bytes);
	return copy;
}

int32_t doppel_gate_set_answer(const char *json)
{
	char *copy = copy_of(json);
	if (copy == NULL)
		return -1;
	doppel_lock(&answer.lock);
	char *before = answer.json;
	answer.json = copy;
	answer.given_ns = doppel_clock_ns();
	doppel_unlock(&answer.lock);
	free(before);
	return 0;
}

void doppel_gate_answer(void *request, void *response, void *private_data)
{
	(void)request, (void)private_data;
	if (!answer.installed)
		return;
	doppel_lock(&answer.lock);
	char *json = answer.json != NULL ? copy_of(answer.json) : NULL;
	const uint64_t given_ns = answer.given_ns;
	doppel_unlock(&answer.lock);
	void *data = json != NULL ? answer.libobs.obs_data_create_from_json(json) : NULL;
	free(json);
	if (data == NULL)
		return;
	answer.libobs.obs_data_apply(response, data);
	answer.libobs.obs_data_set_int(response, "age_ms", (long long)((doppel_clock_ns() - given_ns) / MS));
	answer.libobs.obs_data_release(data);
}
