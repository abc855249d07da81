/* Windows: loads the DLL as OBS's Python does and runs a lane through it, gate and worker in two threads.
 *
 *     load_dll doppel_native-windows-x86_64.dll
 */
#include "check.h"
#include "gate.h"
#include "obs_abi.h"

#include <string.h>
#include <windows.h>

#define FRAMES 300u

static HMODULE library;

static FARPROC find(const char *name)
{
	FARPROC function = GetProcAddress(library, name);
	if (function == NULL)
		fprintf(stderr, "%s is not exported\n", name);
	CHECK(function != NULL);
	return function;
}
/* A function of the library, with the type that its header declares. */
#define CALL(function) ((__typeof__(&function))(void *)find(#function))

static uint64_t video_time;
static uint64_t frame_time(void)
{
	return video_time;
}
static void *nothing(const void *a)
{
	(void)a;
	return NULL;
}

static uint8_t *segment;
static uint64_t bytes;
static volatile LONG over;

static DWORD WINAPI worker(void *unused)
{
	(void)unused;
	const struct doppel_segment_header *header = (const void *)segment;
	while (!over) {
		const int32_t slot = CALL(doppel_worker_next)(segment, bytes, 50000000, NULL);
		if (slot == DOPPEL_NEXT_CLOSED)
			return 0;
		if (slot < 0)
			continue;
		uint8_t *pixels = segment + header->pixels_offset + (uint32_t)slot * header->slot_stride;
		for (uint64_t i = 0; i < header->geometry.frame_bytes; i++)
			pixels[i] |= 0x80;
		CALL(doppel_worker_done)(segment, bytes, (uint32_t)slot, DOPPEL_VERDICT_SWAPPED, 1);
	}
	return 0;
}

int main(int count, char **arguments)
{
	CHECK(count == 2);
	library = LoadLibraryA(arguments[1]);
	CHECK(library != NULL);
	CHECK_EQUAL(CALL(doppel_abi)(), DOPPEL_ABI);
	const uint64_t before = CALL(doppel_now_ns)();
	Sleep(30);
	CHECK(CALL(doppel_now_ns)() - before > 20000000);

	struct doppel_libobs table = {.size = sizeof table};
	void *(*filler)(const void *) = nothing;
	for (size_t at = offsetof(struct doppel_libobs, obs_filter_get_parent); at < sizeof table; at += sizeof filler)
		memcpy((char *)&table + at, &filler, sizeof filler);
	table.obs_get_video_frame_time = frame_time;
	int32_t already = 1;
	struct obs_source_info_400 *info = CALL(doppel_gate_install)(&table, "id", "Name", "Text", NULL, 0, &already);
	CHECK(info != NULL && already == 0);
	void *filter = info->create(NULL, NULL);
	uint64_t id;
	CHECK_EQUAL(CALL(doppel_gate_list)(&id, 1), 1);

	static uint8_t pixels[64 * 64 * 3 / 2];
	HANDLE thread = NULL, mapping = NULL;
	unsigned judged = 0;
	for (unsigned i = 0; i < FRAMES; i++) {
		memset(pixels, (int)(i & 63), sizeof pixels);
		struct obs_source_frame frame = {.width = 64, .height = 64, .format = 1};
		frame.timestamp = i * UINT64_C(33000000);
		frame.data[0] = pixels;
		frame.data[1] = pixels + 4096;
		frame.data[2] = pixels + 5120;
		frame.linesize[0] = 64;
		frame.linesize[1] = frame.linesize[2] = 32;
		video_time++;
		CHECK(info->filter_video(filter, &frame) == &frame);
		if (i > 0)
			judged += (pixels[0] & 0x80) != 0 && pixels[0] == pixels[sizeof pixels - 1];
		struct doppel_gate_status status;
		CHECK_EQUAL(CALL(doppel_gate_get_status)(id, &status), 0);
		if (i == 0) {
			bytes = CALL(doppel_segment_bytes)(&status.geometry, 5);
			mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, (DWORD)bytes,
						     "doppel-test");
			segment = MapViewOfFile(mapping, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, bytes);
			CHECK(segment != NULL);
			CHECK_EQUAL(CALL(doppel_gate_attach)(id, (intptr_t)mapping, bytes * 4, 5, 1, 1), -2);
			CHECK_EQUAL(CALL(doppel_gate_attach)(id, (intptr_t)mapping, bytes, 5, 1, 1), 0);
			CHECK_EQUAL(CALL(doppel_worker_open)(segment, bytes), 0);
			thread = CreateThread(NULL, 0, worker, NULL, 0, NULL);
			CHECK(thread != NULL);
		}
		Sleep(1);
	}
	CHECK(judged > FRAMES / 3);
	CHECK_EQUAL(CALL(doppel_gate_detach)(id), 0);
	CHECK_EQUAL(WaitForSingleObject(thread, 5000), WAIT_OBJECT_0);
	info->destroy(filter);
	CHECK_EQUAL(CALL(doppel_gate_list)(&id, 1), 0);
	printf("dll: ok, %u of %u judged\n", judged, FRAMES);
	return 0;
}
