/* A filter's hotkeys in OBS's own hotkey settings, for the control plane.
 *
 * They are the filtered source's hotkeys, because libobs refuses a filter's own (filters are "private" sources); OBS
 * saves them with that source, in the scene collection. A name holds the filter's name, which no other filter on the
 * same source has: doppel_swap.<filter>, doppel_next_face.<filter>, doppel_previous_face.<filter>,
 * doppel_hold_original.<filter>.
 *
 * OBS calls them back under its own lock of hotkeys, so nothing is done there but to take note; only the key that is
 * held for the original works at once, in the gate, so that letting go covers whatever becomes of the script.
 */
#ifndef DOPPEL_GATE_HOTKEYS_H
#define DOPPEL_GATE_HOTKEYS_H

#include "ring.h"

#include <stdbool.h>
#include <stddef.h>

enum doppel_hotkey {
	DOPPEL_HOTKEY_SWAP = 0,
	DOPPEL_HOTKEY_NEXT,
	DOPPEL_HOTKEY_PREVIOUS,
	DOPPEL_HOTKEY_ORIGINAL,
	DOPPEL_HOTKEYS,
};

struct doppel_hotkey_libobs {
	uint32_t size; /* sizeof(struct doppel_hotkey_libobs) */
	uint32_t reserved;
	size_t (*obs_hotkey_register_source)(void *source, const char *name, const char *description,
					     void (*callback)(void *data, size_t id, void *hotkey, bool pressed),
					     void *data);
	void (*obs_hotkey_unregister)(size_t id);
	void *(*obs_hotkey_save)(size_t id);
	void (*obs_hotkey_load)(size_t id, void *keys);
	void (*obs_data_array_release)(void *keys);
	void *(*obs_source_get_ref)(void *source);
	void (*obs_source_release)(void *source);
	const char *(*obs_source_get_name)(const void *source);
};

/* To be called before the first filter is made. `texts`: what each hotkey does, as the user reads it behind the
 * filter's name; copied. Only the first call counts. 0; -1: a function is missing, and there are no hotkeys. */
DOPPEL_API int32_t doppel_gate_install_hotkeys(const struct doppel_hotkey_libobs *libobs,
					       const char *const texts[DOPPEL_HOTKEYS]);

struct doppel_wishes {
	uint32_t swap;	   /* presses since the last call */
	uint32_t next;	   /* presses */
	uint32_t previous; /* presses */
	uint32_t original; /* 1: the key is down, the original is shown */
};
/* Registers the hotkeys of a filter that has none, anew (with their keys) when it was renamed; takes the wishes.
 * 0; -1: no such filter. */
DOPPEL_API int32_t doppel_gate_follow_hotkeys(uint64_t filter_id, struct doppel_wishes *wishes);

#endif
