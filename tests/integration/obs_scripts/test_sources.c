/* Live sources for the tests, registered in the running OBS by doppel_test_remote.py: a camera without sound, a camera
 * with sound, and a microphone. All follow one clock: frame n is due n / 30 s after the first one, carries n in its
 * frame code (tests/support/frame_code.py), and every 30th begins a clap, a burst of 50 ms of sound. So in a recording
 * the claps are to be heard when the frames 0, 30, 60, ... are to be seen.
 *
 * Where a camera's setting "pictures" names a file, its frames come from there, round and round: raw I420, BT.709, each
 * with its place in the file as its code, a multiple of 30 of them.
 *
 * OBS has no asynchronous source without sound that needs no hardware, hence this. It links to the libobs of the
 * process that loads it.
 */
#define _GNU_SOURCE
#include "obs_abi.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 640, HEIGHT = 360, FPS = 30, RATE = 48000, CHUNK = RATE / FPS, CLAP_FRAMES = 30, BURST = RATE / 20 };
enum { FRAME_BYTES = WIDTH * HEIGHT * 3 / 2 };
enum { FLAG_AUDIO = 1 << 1, I420 = 1, AUDIO_FLOAT = 4, MONO = 1 };

struct obs_source_audio {
	const uint8_t *data[8];
	uint32_t frames;
	int32_t speakers;
	int32_t format;
	uint32_t samples_per_sec;
	uint64_t timestamp;
};

void obs_register_source_s(const struct obs_source_info_400 *info, size_t size);
void obs_source_output_video(void *source, const struct obs_source_frame *frame);
void obs_source_output_audio(void *source, const struct obs_source_audio *audio);
bool video_format_get_parameters(int32_t space, int32_t range, float matrix[16], float min[3], float max[3]);
const char *obs_data_get_string(void *data, const char *name);
void doppel_test_register(void);

struct live {
	void *source;
	bool video, audio;
	int file; /* of the pictures; -1: none */
	uint64_t count; /* of them */
	_Atomic bool stopping;
	pthread_t thread;
	uint8_t pixels[FRAME_BYTES];
};

static uint64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The first frame of all sources. */
static uint64_t epoch_ns(void)
{
	static _Atomic uint64_t epoch;
	uint64_t none = 0;
	atomic_compare_exchange_strong(&epoch, &none, now_ns());
	return atomic_load(&epoch);
}

static uint32_t crc8(uint32_t value)
{
	uint32_t crc = 0xA5;
	for (int shift = 15; shift >= 0; shift--) {
		const uint32_t top = (crc >> 7 ^ value >> shift) & 1;
		crc = (crc << 1 & 0xFF) ^ (top ? 0x07 : 0);
	}
	return crc;
}

/* 24 pairs of cells of 10 x 10 pixels, white over black or black over white, in limited range. */
static void draw_code(uint8_t *luma, uint32_t number)
{
	const uint32_t word = number << 8 | crc8(number);
	for (uint32_t y = 0; y < 20; y++)
		for (uint32_t x = 0; x < 240; x++) {
			const uint32_t bit = word >> (23 - x / 10) & 1;
			luma[y * WIDTH + x] = (bit ^ (y >= 10)) != 0 ? 235 : 16;
		}
}

/* False: the file does not give the picture. */
static bool draw(struct live *live, uint64_t number)
{
	if (live->file >= 0)
		return pread(live->file, live->pixels, FRAME_BYTES, (off_t)(number % live->count * FRAME_BYTES)) ==
		       FRAME_BYTES;
	memset(live->pixels, 100, WIDTH * HEIGHT);
	memset(live->pixels + WIDTH * HEIGHT, 128, WIDTH * HEIGHT / 2);
	draw_code(live->pixels, (uint32_t)(number & 0xFFFF));
	return true;
}

static void send_video(struct live *live, uint64_t number, uint64_t stamp)
{
	if (!draw(live, number))
		return;
	struct obs_source_frame frame = {.width = WIDTH, .height = HEIGHT, .format = I420, .timestamp = stamp};
	frame.data[0] = live->pixels;
	frame.data[1] = live->pixels + WIDTH * HEIGHT;
	frame.data[2] = frame.data[1] + WIDTH * HEIGHT / 4;
	frame.linesize[0] = WIDTH;
	frame.linesize[1] = frame.linesize[2] = WIDTH / 2;
	video_format_get_parameters(2, 1, frame.color_matrix, frame.color_range_min, frame.color_range_max);
	obs_source_output_video(live->source, &frame);
}

static void send_audio(struct live *live, uint64_t number, uint64_t stamp)
{
	float samples[CHUNK];
	for (uint32_t i = 0; i < CHUNK; i++) {
		const uint64_t since_clap = number % CLAP_FRAMES * CHUNK + i;
		samples[i] = since_clap >= BURST ? 0.0f : since_clap / 24 % 2 != 0 ? 0.5f : -0.5f; /* 1 kHz */
	}
	const struct obs_source_audio audio = {.data = {(const uint8_t *)samples},
					       .frames = CHUNK,
					       .speakers = MONO,
					       .format = AUDIO_FLOAT,
					       .samples_per_sec = RATE,
					       .timestamp = stamp};
	obs_source_output_audio(live->source, &audio);
}

static void *run(void *data)
{
	struct live *live = data;
	const uint64_t epoch = epoch_ns();
	for (uint64_t number = (now_ns() - epoch) * FPS / 1000000000u + 1; !atomic_load(&live->stopping); number++) {
		const uint64_t due = epoch + number * 1000000000u / FPS;
		const struct timespec until = {.tv_sec = (time_t)(due / 1000000000u), .tv_nsec = (long)(due % 1000000000u)};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		if (live->video)
			send_video(live, number, due);
		if (live->audio)
			send_audio(live, number, due);
	}
	return NULL;
}

static void *create(void *settings, void *source, bool video, bool audio)
{
	struct live *live = calloc(1, sizeof *live);
	if (live == NULL)
		return NULL;
	live->source = source;
	live->video = video;
	live->audio = audio;
	live->file = video ? open(obs_data_get_string(settings, "pictures"), O_RDONLY | O_CLOEXEC) : -1;
	live->count = live->file >= 0 ? (uint64_t)lseek(live->file, 0, SEEK_END) / FRAME_BYTES : 0;
	if (live->file >= 0 && live->count == 0) {
		close(live->file);
		live->file = -1;
	}
	if (pthread_create(&live->thread, NULL, run, live) != 0) {
		if (live->file >= 0)
			close(live->file);
		free(live);
		return NULL;
	}
	return live;
}

static void *create_camera(void *settings, void *source)
{
	return create(settings, source, true, false);
}

static void *create_camera_with_sound(void *settings, void *source)
{
	return create(settings, source, true, true);
}

static void *create_microphone(void *settings, void *source)
{
	return create(settings, source, false, true);
}

static void destroy(void *data)
{
	struct live *live = data;
	atomic_store(&live->stopping, true);
	pthread_join(live->thread, NULL);
	if (live->file >= 0)
		close(live->file);
	free(live);
}

static const char *get_name(void *type_data)
{
	(void)type_data;
	return "Doppel test source";
}

void doppel_test_register(void)
{
	static const struct obs_source_info_400 types[] = {
		{.id = "doppel_test_camera",
		 .output_flags = OBS_FLAG_VIDEO | OBS_FLAG_ASYNC,
		 .get_name = get_name,
		 .create = create_camera,
		 .destroy = destroy},
		{.id = "doppel_test_camera_with_sound",
		 .output_flags = OBS_FLAG_VIDEO | OBS_FLAG_ASYNC | FLAG_AUDIO,
		 .get_name = get_name,
		 .create = create_camera_with_sound,
		 .destroy = destroy},
		{.id = "doppel_test_microphone",
		 .output_flags = FLAG_AUDIO,
		 .get_name = get_name,
		 .create = create_microphone,
		 .destroy = destroy},
	};
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		obs_register_source_s(&types[i], sizeof types[i]);
}
