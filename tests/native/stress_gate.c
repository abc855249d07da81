/* The gate with all of its threads at once, for the thread sanitizer.
 *
 *     stress_gate MILLISECONDS [sync]
 *
 * graphics   ticks and draws; a second one takes screenshots under the same graphics mutex
 * control    attaches, detaches, collects, sets policies, reads status and samples, asks for the source
 * user       switches the filter, sends media signals, updates settings, opens the properties
 * workers    one for each lane, judging
 * In rounds: in each the filter is made, used and destroyed while the control thread is in the middle of its calls.
 */
#define _GNU_SOURCE
#include "check.h"
#include "fake_graphics.h"
#include "lane_rig.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#define PHASE_NS UINT64_C(250000000) /* the source sends, then idles, then sends */

static pthread_mutex_t graphics = PTHREAD_MUTEX_INITIALIZER;
static bool sync_type;
static struct fake_source source;
static struct fake_filter *filter;
static _Atomic uint64_t filter_id;
static _Atomic bool round_over;
static struct doppel_geometry geometry;
static _Atomic uint64_t frames, judged, attaches, again, as_rgb;

static void nap(long ns)
{
	const struct timespec time = {.tv_nsec = ns};
	nanosleep(&time, NULL);
}

static void draw(void)
{
	if (sync_type)
		fake_sync_draw(&source, NULL);
	else
		fake_draw(&source);
}

static void *screenshots(void *unused)
{
	(void)unused;
	while (!atomic_load(&round_over)) {
		pthread_mutex_lock(&graphics);
		draw();
		pthread_mutex_unlock(&graphics);
		nap(300000);
	}
	return NULL;
}

struct work {
	struct rig_segment segment;
	_Atomic bool stop;
};

static void *work(void *data)
{
	struct work *mine = data;
	while (!atomic_load(&mine->stop)) {
		uint32_t given_back;
		const int32_t slot =
			doppel_worker_next(mine->segment.worker, mine->segment.bytes, 2000000, &given_back);
		if (slot >= 0) {
			doppel_worker_keep(mine->segment.worker, mine->segment.bytes, (uint32_t)slot);
			rig_finish(&mine->segment, slot, DOPPEL_VERDICT_SWAPPED);
			atomic_fetch_add(&judged, 1);
		} else if (slot == DOPPEL_NEXT_CLOSED) {
			break;
		} else {
			doppel_worker_ask_again(mine->segment.worker, mine->segment.bytes);
		}
	}
	return NULL;
}

static void *control(void *unused)
{
	(void)unused;
	unsigned long long seed = 4711;
	static struct work work_of;
	pthread_t worker;
	bool working = false;
	uint64_t most_again = 0, most_as_rgb = 0;
	for (uint64_t serial = 1; !atomic_load(&round_over); serial++) {
		const uint64_t id = atomic_load(&filter_id);
		struct doppel_gate_status status;
		struct doppel_sample samples[32];
		const unsigned what = (unsigned)(next_random(&seed) >> 33) % 16;
		if (what == 0 || !working) {
			if (working) {
				doppel_gate_detach(id);
				atomic_store(&work_of.stop, true);
				pthread_join(worker, NULL);
				rig_segment_free(&work_of.segment);
				working = false;
			}
			if (doppel_gate_get_status(id, &status) == 0 && status.geometry.width > 0) {
				uint64_t bytes = serial % 4 != 0 ? doppel_segment_bytes_with_rgb(&status.geometry, 6) : 0;
				if (bytes == 0)
					bytes = doppel_segment_bytes(&status.geometry, 6);
				work_of.segment = rig_segment(bytes);
				if (doppel_gate_attach(id, work_of.segment.fd, bytes, 6, status.geometry_serial, serial) ==
				    0) {
					atomic_store(&work_of.stop, false);
					CHECK_EQUAL(pthread_create(&worker, NULL, work, &work_of), 0);
					working = true;
					atomic_fetch_add(&attaches, 1);
				} else {
					rig_segment_free(&work_of.segment);
				}
			}
		} else if (what == 1) {
			const struct doppel_policy policy = {.hold_ns = 50000000, .delay_frames = 1 + serial % 3,
							     .panic = serial % 5 == 0, .paused = serial % 7 == 0};
			doppel_gate_set_policy(id, &policy);
		} else if (what == 2) {
			struct fake_filter *held = doppel_gate_get_source(id);
			if (held != NULL)
				atomic_fetch_sub(&held->references, 1);
		}
		if (doppel_gate_get_status(id, &status) == 0) {
			most_again = status.judged_again > most_again ? status.judged_again : most_again;
			most_as_rgb = status.rgb_answers > most_as_rgb ? status.rgb_answers : most_as_rgb;
		}
		doppel_gate_drain(id, samples, 32);
		doppel_gate_collect(id);
		nap(200000);
	}
	atomic_fetch_add(&again, most_again);
	atomic_fetch_add(&as_rgb, most_as_rgb);
	if (working) {
		doppel_gate_detach(atomic_load(&filter_id));
		atomic_store(&work_of.stop, true);
		pthread_join(worker, NULL);
		rig_segment_free(&work_of.segment);
	}
	return NULL;
}

static void *some_page(uint64_t id)
{
	(void)id;
	return calloc(1, 8);
}

static void *user(void *unused)
{
	(void)unused;
	const char *const signals[] = {"media_pause", "media_play", "media_started", "media_stopped", "media_ended"};
	for (unsigned i = 0; !atomic_load(&round_over); i++) {
		/* The fake's lists are not made for two threads; libobs holds a mutex of the signal here. */
		pthread_mutex_lock(&graphics);
		fake_signal(&source, signals[i % 5]);
		fake_signal(filter, "enable");
		pthread_mutex_unlock(&graphics);
		filter->info->update(filter->data, NULL);
		free(filter->info->get_properties(filter->data));
		nap(500000);
	}
	return NULL;
}

static void *reloads(void *unused)
{
	(void)unused;
	while (!atomic_load(&round_over)) {
		doppel_gate_set_properties_callback(some_page);
		nap(300000);
		doppel_gate_set_properties_callback(NULL);
	}
	return NULL;
}

static void tick_and_send(uint64_t number, bool idle)
{
	pthread_mutex_lock(&graphics); /* the fake's tick touches what its draw does; libobs's does not */
	fake_tick(&source, &geometry, !idle && number % 5 != 0, 4000000);
	fake_draw(&source);
	pthread_mutex_unlock(&graphics);
}

/* The filter's tick as libobs makes it, without the mutex. The source idles where nobody shows it. */
static void tick_and_draw(uint64_t number, bool idle)
{
	filter->info->video_tick(filter->data, 0);
	pthread_mutex_lock(&graphics);
	fake.video_time += 4000000;
	if (number % 3 == 0)
		fake_still(&source, geometry.width, geometry.height);
	if (!idle)
		draw();
	pthread_mutex_unlock(&graphics);
}

static void one_round(uint64_t number, uint64_t length_ns)
{
	fake_source_init(&source, number % 2 != 0 ? OBS_FLAG_CONTROLLABLE_MEDIA : 0);
	if (sync_type) {
		source.flags = OBS_FLAG_VIDEO;
		fake_still(&source, 32, 32);
	}
	filter = sync_type ? fake_sync_filter_add(&source) : fake_filter_add(&source);
	atomic_store(&filter_id, fake_filter_id(filter));
	atomic_store(&round_over, false);
	void *(*const jobs[])(void *) = {screenshots, control, user, reloads};
	pthread_t threads[4];
	const uint64_t start = doppel_now_ns();
	for (int i = 0; i < 4; i++)
		CHECK_EQUAL(pthread_create(&threads[i], NULL, jobs[i], NULL), 0);
	for (uint64_t i = 0; doppel_now_ns() - start < length_ns; i++) {
		if (i % 400 == 399)
			geometry = fake_geometry(i % 800 == 799 ? 1 : 2, i % 800 == 799 && sync_type ? 36 : 32, 32, 0);
		/* From the round's start on: rounds of two phases could all begin with the one that sends nothing. */
		const bool idle = (doppel_now_ns() - start) / PHASE_NS % 2 != 0;
		if (sync_type)
			tick_and_draw(i, idle);
		else
			tick_and_send(i, idle);
		atomic_fetch_add(&frames, 1);
		nap(100000);
	}
	if (number % 2 != 0) { /* destroyed in the middle of the control plane's calls */
		atomic_store(&round_over, true);
		pthread_join(threads[0], NULL);
		pthread_join(threads[2], NULL);
		fake_filter_remove(filter);
		pthread_join(threads[1], NULL);
		pthread_join(threads[3], NULL);
	} else {
		atomic_store(&round_over, true);
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
		fake_filter_remove(filter);
	}
	CHECK_EQUAL(doppel_gate_list(NULL, 0), 0);
}

static bool seen_all(void)
{
	return judged > 0 && attaches > 1 && (sync_type || (again > 0 && as_rgb > 0));
}

int main(int count, char **arguments)
{
	CHECK(count >= 2);
	sync_type = count > 2;
	const uint64_t total = strtoull(arguments[1], NULL, 10) * UINT64_C(1000000);
	fake_install();
	fake_graphics_install();
	geometry = fake_geometry(1, 32, 32, 0);
	const uint64_t start = doppel_now_ns();
	uint64_t spent = 0;
	/* A busy machine gets more time to see each thing once. */
	for (uint64_t number = 0; spent < total || (!seen_all() && spent < 10 * total); number++) {
		one_round(number, total / 8);
		spent = doppel_now_ns() - start;
	}
	CHECK_EQUAL(card.objects, 0);
	printf("gate: %llu ticks, %llu judged, %llu of them again, %llu answers as RGB, %llu lanes\n",
	       (unsigned long long)frames, (unsigned long long)judged, (unsigned long long)again,
	       (unsigned long long)as_rgb, (unsigned long long)attaches);
	fflush(stdout);
	CHECK(seen_all());
	return 0;
}
