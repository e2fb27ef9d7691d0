//! Threads that share the tasks of one operation.
//!
//! Our own, not rayon's: handing an operation to rayon's pool allocates (its queue grows by blocks), and a run must
//! not; and between the operations of a network, tens of microseconds long, a worker that still spins takes the
//! next one at once.
#![allow(unsafe_code)]

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

use crate::EngineError;

/// How often an idle worker looks for work before it sleeps: some 20 microseconds.
const SPINS: usize = 1000;

/// Kernels keep their tiles on the stack.
const STACK_BYTES: usize = 4 << 20;

/// A fixed number of threads, the caller's included.
pub struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Held while an operation runs.
    busy: Mutex<()>,
}

type Tasks<'a> = dyn Fn(usize) + Sync + 'a;

#[derive(Clone, Copy)]
struct Work {
    /// Valid while the operation is open or has members.
    run: *const Tasks<'static>,
    tasks: usize,
}

// SAFETY: what it points to is `Sync`, and `for_each` keeps it alive until the last member has left.
unsafe impl Send for Work {}

#[derive(Default)]
struct State {
    /// The open operation: workers may still join.
    work: Option<Work>,
    /// Workers in it.
    members: usize,
    sleeping: usize,
    /// Workers that have begun to serve.
    started: usize,
    stop: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Counts operations; idle workers watch it.
    epoch: AtomicUsize,
    /// The next task of the operation.
    next: AtomicUsize,
    stop: AtomicBool,
    wake: Condvar,
    left: Condvar,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Pool {
    /// Starts `threads - 1` workers; the caller of [`for_each`](Pool::for_each) is the last thread.
    ///
    /// # Errors
    /// If the system refuses a thread.
    pub fn new(threads: usize) -> Result<Pool, EngineError> {
        let mut pool = Pool { shared: Arc::default(), workers: Vec::new(), busy: Mutex::new(()) };
        for index in 1..threads.max(1) {
            let shared = pool.shared.clone();
            let builder = Builder::new().name(format!("floe-cpu-{index}")).stack_size(STACK_BYTES);
            let worker = builder.spawn(move || shared.serve());
            pool.workers.push(worker.map_err(|error| EngineError::Threads { reason: error.to_string() })?);
        }
        // A thread allocates while it starts, and runs do not: it starts here, not during the first run.
        let mut state = pool.shared.lock();
        while state.started < pool.workers.len() {
            state = pool.shared.left.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        Ok(pool)
    }

    /// Number of threads, the caller's included.
    pub fn threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Runs `run(0)`, …, `run(tasks - 1)`, each once, on all threads; returns when all are done.
    ///
    /// Inline on the calling thread where there are no workers, or they are busy with another caller's tasks.
    ///
    /// # Panics
    /// If a task does, once all threads have left the operation; tasks that had not begun are not run then.
    pub fn for_each(&self, tasks: usize, run: &(dyn Fn(usize) + Sync)) {
        let busy = self.busy.try_lock().ok().filter(|_| tasks > 1 && !self.workers.is_empty());
        let Some(guard) = busy else {
            (0..tasks).for_each(run);
            return;
        };
        let shared = &*self.shared;
        let run: *const Tasks<'_> = run;
        // SAFETY: only the lifetime changes. The pointer is used by members, and this function returns (or unwinds)
        // after the operation is closed and the last member has left.
        let run = unsafe { std::mem::transmute::<*const Tasks<'_>, *const Tasks<'static>>(run) };
        let work = Work { run, tasks };
        let sleeping = {
            let mut state = shared.lock();
            shared.next.store(0, Ordering::Relaxed);
            state.work = Some(work);
            shared.epoch.fetch_add(1, Ordering::Release);
            state.sleeping > 0
        };
        if sleeping {
            shared.wake.notify_all();
        }
        shared.take_part(work);
        let mut state = shared.lock();
        state.work = None;
        let mut spins = 0;
        while state.members > 0 {
            if spins < SPINS {
                spins += 1;
                drop(state);
                std::hint::spin_loop();
                state = shared.lock();
            } else {
                state = shared.left.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        drop(state);
        let panic = shared.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = panic {
            drop(guard);
            resume_unwind(panic);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs tasks until none is left.
    fn take_part(&self, work: Work) {
        let result = catch_unwind(AssertUnwindSafe(|| {
            loop {
                let task = self.next.fetch_add(1, Ordering::Relaxed);
                if task >= work.tasks {
                    break;
                }
                // SAFETY: a member (or the caller) is inside the operation, so the closure is alive.
                unsafe { (*work.run)(task) };
            }
        }));
        if let Err(panic) = result {
            self.next.store(work.tasks, Ordering::Relaxed);
            *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
        }
    }

    /// A worker's life.
    fn serve(&self) {
        self.lock().started += 1;
        self.left.notify_one();
        let mut seen = 0;
        loop {
            let mut spins = 0;
            while self.epoch.load(Ordering::Acquire) == seen
                && spins < SPINS
                && !self.stop.load(Ordering::Relaxed)
            {
                std::hint::spin_loop();
                spins += 1;
            }
            let mut state = self.lock();
            while self.epoch.load(Ordering::Relaxed) == seen && !state.stop {
                state.sleeping += 1;
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.sleeping -= 1;
            }
            if state.stop {
                return;
            }
            seen = self.epoch.load(Ordering::Relaxed);
            let Some(work) = state.work else { continue };
            state.members += 1;
            drop(state);
            self.take_part(work);
            let mut state = self.lock();
            state.members -= 1;
            if state.members == 0 {
                self.left.notify_one();
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().stop = true;
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.wake.notify_all();
        for worker in self.workers.drain(..) {
            // A worker catches the panics of its tasks; it has none of its own to report.
            let _ = worker.join();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once() {
        for threads in 1..=4 {
            let pool = Pool::new(threads).unwrap();
            for tasks in [0, 1, 2, 7, 100] {
                let counts: Vec<_> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                pool.for_each(tasks, &|task| {
                    counts[task].fetch_add(1, Ordering::Relaxed);
                });
                assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_pool_lives_on() {
        let pool = Pool::new(3).unwrap();
        for bad in 0..8 {
            let run = || pool.for_each(8, &|task| assert!(task != bad, "task {task}"));
            assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
        }
        let sum = AtomicUsize::new(0);
        pool.for_each(100, &|task| {
            sum.fetch_add(task, Ordering::Relaxed);
        });
        assert_eq!(sum.into_inner(), 4950);
    }

    #[test]
    fn a_task_may_use_the_pool_itself() {
        let pool = Pool::new(2).unwrap();
        let count = AtomicUsize::new(0);
        pool.for_each(4, &|_| {
            pool.for_each(4, &|_| {
                count.fetch_add(1, Ordering::Relaxed);
            })
        });
        assert_eq!(count.into_inner(), 16);
    }
}
