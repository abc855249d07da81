/* The answer to obs-websocket's vendor request "GetStatus": what the control plane said last, kept here.
 *
 * obs-websocket calls back on threads of its own, at any time until OBS ends, and a call may be under way while the
 * script is reloaded. So it calls C of this library, which is never unloaded, and not Python.
 */
#ifndef DOPPEL_GATE_ANSWER_H
#define DOPPEL_GATE_ANSWER_H

#include "ring.h"

struct doppel_answer_libobs {
	uint32_t size; /* sizeof(struct doppel_answer_libobs) */
	uint32_t reserved;
	void *(*obs_data_create_from_json)(const char *json);
	void (*obs_data_apply)(void *target, void *data);
	void (*obs_data_set_int)(void *data, const char *name, long long value);
	void (*obs_data_release)(void *data);
};

/* Only the first call counts. 0; -1: a function is missing. */
DOPPEL_API int32_t doppel_gate_install_answer(const struct doppel_answer_libobs *libobs);
/* From now on this is the answer: a JSON object, copied. 0; -1: no memory, the one before stays. */
DOPPEL_API int32_t doppel_gate_set_answer(const char *json);
/* obs-websocket's callback (obs_websocket_request_callback_function): the answer, and `age_ms`, how long ago it was
 * given. Any thread. */
DOPPEL_API void doppel_gate_answer(void *request, void *response, void *private_data);

#endif
