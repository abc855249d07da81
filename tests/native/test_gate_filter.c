/* The gate as a filter of OBS: formats, colours, its source, its properties, its end. */
#include "check.h"
#include "fake_clock.h"
#include "gate_scene.h"

#include <string.h>

static void ids_that_are_gone_are_answered(void)
{
	struct scene scene;
	begin(&scene, 0);
	uint64_t ids[2] = {0, 0};
	CHECK_EQUAL(doppel_gate_list(ids, 2), 1);
	CHECK_EQUAL(ids[0], scene.id);
	struct fake_filter *source = doppel_gate_get_source(scene.id);
	CHECK(source == scene.filter);
	atomic_fetch_sub(&source->references, 1);
	end(&scene);
	struct doppel_gate_status status;
	struct doppel_sample sample;
	CHECK_EQUAL(doppel_gate_get_status(scene.id, &status), -1);
	CHECK_EQUAL(doppel_gate_set_policy(scene.id, &normal), -1);
	CHECK_EQUAL(doppel_gate_detach(scene.id), -1);
	CHECK_EQUAL(doppel_gate_collect(scene.id), -1);
	CHECK_EQUAL(doppel_gate_drain(scene.id, &sample, 1), -1);
	CHECK(doppel_gate_get_source(scene.id) == NULL);
	fake_signal(&scene.source, "media_started"); /* nobody listens, nobody crashes */
}

static void an_unsupported_format_is_covered_and_named(void)
{
	struct scene scene;
	running(&scene, 0);
	static _Alignas(64) uint16_t pixels[64 * 64 * 2];
	for (uint32_t format = 17; format <= 25; format++) {
		memset(pixels, 0x11, sizeof pixels);
		struct obs_source_frame frame = {.width = 16, .height = 16, .format = format, .timestamp = 1};
		for (int p = 0; p < 4; p++) {
			frame.data[p] = (uint8_t *)(pixels + p * 1024);
			frame.linesize[p] = 64;
		}
		CHECK(fake.info->filter_video(scene.filter->data, &frame) == &frame);
		CHECK(pixels[0] != 0x1111 && pixels[5] != 0x1111);
		CHECK_EQUAL(status_of(&scene).unsupported_format, format);
		CHECK_EQUAL(status_of(&scene).geometry.width, 0);
	}
	struct obs_source_frame alien = {
		.width = 16, .height = 16, .format = 77, .timestamp = 2, .refs = 3}; /* two of them are given back */
	CHECK(fake.info->filter_video(scene.filter->data, &alien) == NULL);
	CHECK_EQUAL(scene.source.released, 1);
	CHECK_EQUAL(status_of(&scene).dropped, 1);
	CHECK_EQUAL(status_of(&scene).unsupported_format, 77);
	struct doppel_policy policy = normal;
	policy.late_policy = DOPPEL_LATE_ORIGINAL; /* by choice */
	set_policy(&scene, policy);
	CHECK(fake.info->filter_video(scene.filter->data, &alien) == &alien);
	policy.panic = 1;
	set_policy(&scene, policy);
	CHECK(fake.info->filter_video(scene.filter->data, &alien) == NULL);
	CHECK_EQUAL(status_of(&scene).original, 1);
	set_policy(&scene, normal);
	CHECK_EQUAL(tick(&scene, 1, NULL), FAKE_COVER); /* and back */
	CHECK_EQUAL(status_of(&scene).unsupported_format, 0);
	end(&scene);
}

static void the_colour_goes_with_the_pixels(void)
{
	struct scene scene;
	running(&scene, 0);
	uint8_t *bytes = malloc(i420.frame_bytes);
	for (int i = 0; i < 6; i++) {
		struct obs_source_frame frame = {.width = 64, .height = 64, .format = 1};
		frame.timestamp = scene.source.timestamp += STEP;
		for (uint32_t p = 0; p < 3; p++) {
			frame.data[p] = bytes + i420.offset[p];
			frame.linesize[p] = i420.linesize[p];
		}
		const uint64_t id = status_of(&scene).frames_in + 1;
		frame.color_matrix[3] = (float)id;
		frame.color_range_min[1] = (float)id;
		frame.color_range_max[2] = (float)id;
		frame.flip = id % 2 != 0;
		frame.full_range = id % 3 != 0;
		CHECK(fake.info->filter_video(scene.filter->data, &frame) == &frame);
		struct doppel_sample samples[256];
		const int32_t n = doppel_gate_drain(scene.id, samples, 256);
		const uint64_t shown = samples[n - 1].shown_id;
		if (i >= 2) { /* before that, frames of running() */
			CHECK_EQUAL(shown, id - 2);
			CHECK(frame.color_matrix[3] == (float)shown && frame.color_range_min[1] == (float)shown &&
			      frame.color_range_max[2] == (float)shown);
			CHECK_EQUAL(frame.flip, shown % 2 != 0);
			CHECK_EQUAL(frame.full_range, shown % 3 != 0);
		}
		judge_all(&scene, DOPPEL_VERDICT_SWAPPED);
	}
	free(bytes);
	end(&scene);
}

static void the_filter_moves_to_another_source(void)
{
	struct scene scene;
	running(&scene, 0);
	static struct fake_source other;
	fake_source_init(&other, 0);
	fake.info->filter_remove(scene.filter->data, &scene.source);
	scene.source.filter_count = 0;
	for (uint32_t i = 0; i < FAKE_CONNECTIONS; i++)
		CHECK(scene.source.connections[i].callback == NULL);
	scene.filter->parent = &other;
	other.filters[0] = scene.filter;
	other.filter_count = 1;
	fake_tick(&other, &i420, 1, STEP);
	CHECK(other.connections[0].callback != NULL);
	end(&scene);
	for (uint32_t i = 0; i < FAKE_CONNECTIONS; i++)
		CHECK(other.connections[i].callback == NULL);
}

static void *no_page(uint64_t id)
{
	(void)id;
	return NULL;
}
static uint64_t asked_for;
static int page;
static void *some_page(uint64_t id)
{
	asked_for = id;
	doppel_gate_set_properties_callback(NULL); /* a script that reloads from inside its own page: no deadlock */
	return &page;
}

static void properties_come_from_the_script_or_from_the_gate(void)
{
	struct scene scene;
	begin(&scene, 0);
	void *orphan = fake.info->get_properties(scene.filter->data);
	CHECK(orphan != NULL);
	free(orphan);
	doppel_gate_set_properties_callback(no_page);
	orphan = fake.info->get_properties(scene.filter->data);
	CHECK(orphan != NULL);
	free(orphan);
	doppel_gate_set_properties_callback(some_page);
	CHECK(fake.info->get_properties(scene.filter->data) == &page);
	CHECK_EQUAL(asked_for, scene.id);
	free(fake.info->get_properties(NULL));
	const uint64_t serial = status_of(&scene).settings_serial;
	fake.info->update(scene.filter->data, NULL);
	CHECK_EQUAL(status_of(&scene).settings_serial, serial + 1);
	end(&scene);
}

int main(void)
{
	scene_install();
	ids_that_are_gone_are_answered();
	an_unsupported_format_is_covered_and_named();
	the_colour_goes_with_the_pixels();
	the_filter_moves_to_another_source();
	properties_come_from_the_script_or_from_the_gate();
	puts("filter: ok");
	return 0;
}
