/* The frame path of both filters, once a lane runs: no memory is allocated or freed, and no system call is made beyond
 * the wake of a worker that waits.
 *
 * The library is compiled so that its malloc, calloc and free are counted here. The ticks run in a process that has told
 * the kernel to kill it at any system call but read, write and exit (seccomp's strict mode), while the worker, in the same
 * thread, never waits. The clock is the tests' own: the real one is read without a system call.
 */
#define _GNU_SOURCE
#include "check.h"
#include "fake_clock.h"
#include "sync_scene.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICKS 500
#define SECCOMP_STRICT 1

static unsigned long allocations;

void *counted_malloc(size_t size);
void *counted_calloc(size_t count, size_t size);
void counted_free(void *memory);

void *counted_malloc(size_t size)
{
	allocations++;
	return malloc(size);
}

void *counted_calloc(size_t count, size_t size)
{
	allocations++;
	return calloc(count, size);
}

void counted_free(void *memory)
{
	allocations++;
	free(memory);
}

static void swap_async(struct scene *scene, int n)
{
	/* Frames that are due, late, held and covered; a still that is judged again; a panic. */
	set_policy(scene, (struct doppel_policy){.hold_ns = 100 * MS, .delay_frames = 2, .panic = n / 50 % 4 == 3});
	tick(scene, n % 40 < 30, NULL);
	if (n % 40 < 20)
		judge_all(scene, n % 7 == 0 ? DOPPEL_VERDICT_COVERED : DOPPEL_VERDICT_SWAPPED);
	if (n % 40 > 35)
		doppel_worker_ask_again(scene->segment.worker, scene->segment.bytes);
}

static void swap_sync(struct scene *scene, int n)
{
	set_policy(scene, (struct doppel_policy){.hold_ns = 100 * MS, .delay_frames = 2, .panic = n / 50 % 4 == 3});
	(n % 5 == 0 ? same : next)(scene, NULL);
	if (n % 40 < 20)
		judge_all(scene, n % 7 == 0 ? DOPPEL_VERDICT_COVERED : DOPPEL_VERDICT_SWAPPED);
}

/* Judged pictures and held ones go out as RGB; in the end nobody judges any more. */
static void swap_rgb(struct scene *scene, int n)
{
	set_policy(scene, (struct doppel_policy){.hold_ns = 100 * MS, .delay_frames = 2});
	tick(scene, 1, NULL);
	if (n % 10 < 8 && n < TICKS - 50)
		judge_all(scene, DOPPEL_VERDICT_SWAPPED);
}

/* What the child ends with: 0, or 1 where memory was allocated; killed: a system call. */
static void check_path(const char *name, void (*begin_running)(struct scene *), void (*swap)(struct scene *, int),
		       uint64_t least_rgb)
{
	fflush(stdout);
	const pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		static struct scene scene;
		begin_running(&scene);
		swap(&scene, 0); /* thread-local variables get their memory at their first use */
		const struct doppel_gate_status before = status_of(&scene);
		allocations = 0;
		if (prctl(PR_SET_SECCOMP, SECCOMP_STRICT) != 0)
			_exit(77);
		for (int n = 1; n <= TICKS; n++)
			swap(&scene, n);
		const struct doppel_gate_status after = status_of(&scene);
		const int all = after.swapped > before.swapped && after.covered > before.covered && after.held > before.held &&
				after.rgb_answers >= before.rgb_answers + least_rgb;
		syscall(SYS_exit, allocations != 0 ? 1 : all ? 0 : 2);
	}
	int status = 0;
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		fprintf(stderr, "%s: signal %d: a system call on the frame path\n", name, WTERMSIG(status));
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		printf("%s: this system has no seccomp\n", name);
	else
		CHECK_EQUAL(WEXITSTATUS(status), 0);
}

static void async_running(struct scene *scene)
{
	running(scene, 0);
}

static void async_running_with_rgb(struct scene *scene)
{
	rig_wants_rgb = true;
	running(scene, 0);
	rig_wants_rgb = false;
	for (int n = 0; n < 40; n++) { /* more than a second of judged pictures: RGB has begun, and its frames are there */
		tick(scene, 1, NULL);
		judge_all(scene, DOPPEL_VERDICT_SWAPPED);
	}
}

/* The counter and the trap themselves. */
static void waking(struct scene *scene, int n)
{
	(void)n;
	struct doppel_segment_header *header = (void *)scene->segment.worker;
	atomic_store(&header->waiting, 1);
	tick(scene, 1, NULL);
}

static void check_the_trap(void)
{
	const pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		static struct scene scene;
		async_running(&scene);
		if (prctl(PR_SET_SECCOMP, SECCOMP_STRICT) != 0)
			raise(SIGKILL);
		waking(&scene, 0);
		syscall(SYS_exit, 0);
	}
	int status = 0;
	CHECK_EQUAL(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status)); /* the wake is a system call, and is seen as one */
	static struct scene scene;
	allocations = 0;
	async_running(&scene);
	CHECK(allocations > 0); /* the filter, its lane */
	end(&scene);
}

int main(void)
{
	sync_install();
	check_the_trap();
	check_path("async", async_running, swap_async, 0);
	check_path("async, RGB", async_running_with_rgb, swap_rgb, TICKS / 2);
	check_path("sync", sync_running, swap_sync, 0);
	printf("frame path: ok\n");
	return 0;
}
