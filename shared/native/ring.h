/* The lane's ring: one shared-memory segment, a handful of slots, two processes.
 *
 * Both sides compile this file. README.md in ../doppel_ipc is the specification; the numbers here are the truth
 * that its tests compare with. Everything is little-endian and naturally aligned.
 *
 * A slot has ONE owner, and its state word says who:
 *
 *     FREE (gate) -> FILLED -> BUSY (worker) -> DONE (gate) -> FREE
 *            ^          |
 *            +----------+   taken back by the gate, or given back unstarted by the worker
 *
 * The gate TRUSTS NOTHING that it reads from the segment: geometry, addresses and what it believes of each slot live
 * in its own memory (struct doppel_ring, ring_gate.h); from the segment it takes only state words, verdicts and times,
 * and every value of those is harmless.
 */
#ifndef DOPPEL_RING_H
#define DOPPEL_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define DOPPEL_API __declspec(dllexport)
#else
#define DOPPEL_API __attribute__((visibility("default")))
#endif

#define DOPPEL_ABI 5u                   /* grows with any change of this file or gate.h */
#define DOPPEL_SEGMENT_MAGIC 0x4c505044u /* "DPPL" */
#define DOPPEL_SEGMENT_VERSION 3u
#define DOPPEL_HEADER_BYTES 4096u /* header and slot headers; pixels start here */
#define DOPPEL_SLOT_HEADER_BYTES 256u
#define DOPPEL_MIN_SLOTS 4u
#define DOPPEL_MAX_SLOTS 12u
#define DOPPEL_MAX_PLANES 4u

enum doppel_slot_state { DOPPEL_FREE = 0, DOPPEL_FILLED = 1, DOPPEL_BUSY = 2, DOPPEL_DONE = 3 };

/* What the worker judged. Any other value is taken as COVERED. */
enum doppel_verdict {
	DOPPEL_VERDICT_NONE = 0,
	DOPPEL_VERDICT_SWAPPED = 1,  /* every judged face is swapped (and nothing else is blurred) */
	DOPPEL_VERDICT_BLURRED = 2,  /* a face region is blurred */
	DOPPEL_VERDICT_NO_FACE = 3,  /* no face, and none lately: the frame is as it was */
	DOPPEL_VERDICT_ORIGINAL = 4, /* the user chose to show the original for this case */
	DOPPEL_VERDICT_COVERED = 5,  /* the gate must show the cover */
};

struct doppel_geometry {
	uint32_t pixel_format; /* libobs enum video_format */
	uint32_t width;
	uint32_t height;
	uint32_t plane_count;
	uint32_t linesize[DOPPEL_MAX_PLANES]; /* bytes */
	uint32_t rows[DOPPEL_MAX_PLANES];
	uint64_t offset[DOPPEL_MAX_PLANES]; /* of each plane inside a slot, multiples of 64 */
	uint64_t frame_bytes;		    /* multiple of 64 */
};

/* Offset 0 of the segment. Written by the gate before the worker hears of the segment; constant after that,
 * but for the words from `doorbell` on. */
struct doppel_segment_header {
	uint32_t magic;
	uint32_t version;
	uint32_t slot_count;
	uint32_t reserved0;
	uint64_t segment_bytes;
	uint64_t slot_stride;	/* bytes from one slot's pixels to the next, multiple of 4096 */
	uint64_t pixels_offset; /* of slot 0's pixels: DOPPEL_HEADER_BYTES */
	uint64_t slate_offset;	/* of the slate's pixels, same layout as a slot: after the last slot; the kept frame's
				 * come after them */
	struct doppel_geometry geometry;
	uint64_t rgb_offset; /* of slot 0's picture as RGB (rgb.h), after the kept frame; 0: none is wanted */
	uint64_t rgb_stride; /* from one slot's to the next, multiple of 4096 */
	uint8_t reserved1[256 - 48 - 88 - 16];
	/* offset 256 */
	_Atomic uint32_t doorbell; /* +1 by the gate for each submitted frame; the worker waits on it (futex) */
	_Atomic uint32_t waiting;  /* worker: 1 while it waits or is about to; the gate wakes only then */
	_Atomic uint32_t closed;   /* gate: 1 when the lane is over */
	_Atomic uint32_t slate;	   /* worker: 1 when the slate's pixels are complete */
	_Atomic uint32_t again;	   /* worker: +1 when it would judge the newest frame differently by now */
	uint32_t reserved2;
	_Atomic uint64_t kept_id; /* worker: the frame whose original lies in the kept area; 0: none */
	uint8_t reserved3[32];
};

/* At DOPPEL_SLOT0_OFFSET + i * DOPPEL_SLOT_HEADER_BYTES. */
#define DOPPEL_SLOT0_OFFSET 512u
struct doppel_slot_header {
	_Atomic uint32_t state;
	uint32_t verdict; /* worker */
	uint32_t faces;	  /* worker: faces swapped */
	uint32_t flip;	  /* gate: 1 = rows stored bottom first */
	_Atomic uint64_t frame_id; /* gate: grows by one with each frame of the filter; never 0 */
	uint64_t timestamp_ns; /* gate: the source's own time stamp */
	uint64_t capture_ns;   /* gate: filter_video entered. All times: doppel_now_ns() */
	uint64_t submit_ns;    /* gate: copied in */
	uint64_t start_ns;     /* worker: taken */
	uint64_t done_ns;      /* worker: written back */
	uint64_t shown_ns;     /* gate: copied out */
	uint32_t full_range;   /* gate */
	float color_matrix[16];
	float color_range_min[3];
	float color_range_max[3];
	uint32_t reserved0;
	_Atomic uint64_t rgb_id; /* worker: the frame whose judged picture lies in the slot's RGB area; 0: none */
	uint8_t reserved[256 - 72 - 4 - 64 - 24 - 4 - 8];
};

_Static_assert(sizeof(struct doppel_geometry) == 88, "geometry");
_Static_assert(offsetof(struct doppel_segment_header, geometry) == 48, "header");
_Static_assert(offsetof(struct doppel_segment_header, doorbell) == 256, "header words");
_Static_assert(offsetof(struct doppel_segment_header, kept_id) == 280, "header words");
_Static_assert(sizeof(struct doppel_segment_header) == 320, "header");
_Static_assert(offsetof(struct doppel_segment_header, rgb_offset) == 136, "header");
_Static_assert(offsetof(struct doppel_slot_header, full_range) == 72, "slot header");
_Static_assert(offsetof(struct doppel_slot_header, rgb_id) == 168, "slot header");
_Static_assert(sizeof(struct doppel_slot_header) == DOPPEL_SLOT_HEADER_BYTES, "slot header");
_Static_assert(DOPPEL_SLOT0_OFFSET + DOPPEL_MAX_SLOTS * DOPPEL_SLOT_HEADER_BYTES <= DOPPEL_HEADER_BYTES, "page");

/* Nanoseconds of the system-wide monotonic clock: CLOCK_MONOTONIC (Linux), CLOCK_UPTIME_RAW (macOS),
 * QueryPerformanceCounter (Windows). The same as time.monotonic_ns(), but on Windows before Python 3.13 (which counts
 * ticks of 16 ms there): use this function. */
DOPPEL_API uint64_t doppel_now_ns(void);
DOPPEL_API uint32_t doppel_abi(void);

/* Fills rows, offset and frame_bytes from pixel_format, width, height and linesize (0: no padding).
 * Returns 0, or -1 for a format that is not edited or a geometry out of range (the limits of pixel_format.py). */
DOPPEL_API int32_t doppel_geometry_complete(struct doppel_geometry *geometry);
/* Bytes of a segment for that geometry and slot count (page multiple); 0 if either is out of range. */
DOPPEL_API uint64_t doppel_segment_bytes(const struct doppel_geometry *geometry, uint32_t slot_count);
/* The same with room for every slot's picture as RGB; 0 also for other formats than it is made of. A segment of so many bytes (or
 * more) asks the worker for them. */
DOPPEL_API uint64_t doppel_segment_bytes_with_rgb(const struct doppel_geometry *geometry, uint32_t slot_count);

/* ---- worker side, called by ctypes (releases the GIL) -------------------------------------------------------- */

/* Checks magic, version and every size of a mapped segment. 0, or a negative DOPPEL_OPEN_* reason. */
enum { DOPPEL_OPEN_MAGIC = -1, DOPPEL_OPEN_VERSION = -2, DOPPEL_OPEN_SIZES = -3 };
DOPPEL_API int32_t doppel_worker_open(void *base, uint64_t bytes);
/* Newest FILLED slot -> BUSY; older FILLED ones are given back (FREE), counted in *given_back. Waits up to timeout_ns
 * for one. Returns the slot's index, DOPPEL_NEXT_TIMEOUT or DOPPEL_NEXT_CLOSED. */
enum { DOPPEL_NEXT_TIMEOUT = -1, DOPPEL_NEXT_CLOSED = -2 };
DOPPEL_API int32_t doppel_worker_next(void *base, uint64_t bytes, uint64_t timeout_ns, uint32_t *given_back);
/* Copies a BUSY slot's pixels into the kept area, before they are edited: should the source stop sending, this frame
 * can be judged again. 0, or -1 as doppel_worker_done(). */
DOPPEL_API int32_t doppel_worker_keep(void *base, uint64_t bytes, uint32_t slot);
/* Asks the gate to submit the kept frame once more. It does so if no other frame has come. */
DOPPEL_API void doppel_worker_ask_again(void *base, uint64_t bytes);
/* Where the segment asks for it: a BUSY slot's picture, as it stands, into its RGB area. To be called when it is edited,
 * before doppel_worker_done(). 0, or -1 as there, or if the segment has no such area. */
DOPPEL_API int32_t doppel_worker_make_rgb(void *base, uint64_t bytes, uint32_t slot);
/* BUSY -> DONE with the verdict. 0, or -1 if the slot was not BUSY or the index is out of range. */
DOPPEL_API int32_t doppel_worker_done(void *base, uint64_t bytes, uint32_t slot, uint32_t verdict, uint32_t faces);
/* The slate's pixels are complete (1) or gone (0). */
DOPPEL_API void doppel_worker_set_slate(void *base, uint64_t bytes, uint32_t ready);

#endif
