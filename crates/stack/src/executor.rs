//! The executor: a FIFO queue of tasks that are ready, and the timers of those that sleep.
//!
//! A world owns the thread; wakers only push to the queue, from any thread, and never poll. The
//! order in which tasks run is the order in which they were woken, so a virtual world repeats
//! itself exactly.
//!
//! The executor owns its tasks: a waker that is dropped, perhaps under a host's lock, never drops
//! the future behind it, whose own drop may want that lock.

use glasstack_journal::{Clock, Instant};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

type BoxedFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Handle to a world's executor. All clones are the same one.
#[derive(Clone)]
pub struct Executor {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Mutex<Queue>,
    timers: Mutex<Timers>,
    clock: Arc<dyn Clock>,
    /// Rings when something became ready or due while the world may be asleep.
    bell: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Queue {
    ready: VecDeque<Ready>,
    /// Those that have not ended, by number.
    tasks: BTreeMap<u64, Arc<Task>>,
    spawned: u64,
}

enum Ready {
    Main,
    Task(Arc<Task>),
}

#[derive(Default)]
struct Timers {
    next_key: u64,
    sleeping: BTreeMap<(Instant, u64), Waker>,
}

struct Task {
    number: u64,
    future: Mutex<Option<BoxedFuture>>,
    queued: AtomicBool,
    shared: Arc<Shared>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            let shared = Arc::clone(&self.shared);
            shared.push(Ready::Task(self));
        }
    }
}

struct MainWaker {
    queued: AtomicBool,
    shared: Arc<Shared>,
}

impl Wake for MainWaker {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.shared.push(Ready::Main);
        }
    }
}

impl Shared {
    fn push(&self, ready: Ready) {
        lock(&self.queue).ready.push_back(ready);
        (self.bell)();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A world's own future, polled among the tasks it has spawned: it need be neither `Send` nor
/// `'static`.
pub struct MainTask<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    waker: Arc<MainWaker>,
}

/// What [`Executor::run_ready`] came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress<T> {
    /// The main future is done.
    Done(T),
    /// Nothing is ready any more; how many polls that took.
    Idle(usize),
    /// The budget was used up and more is ready.
    Busy,
}

impl Executor {
    /// An executor by `clock`. `bell` is rung, from any thread, whenever something becomes ready
    /// or a new timer is set: a world that sleeps in the operating system must then wake up. It
    /// must not poll anything itself.
    pub fn new(clock: Arc<dyn Clock>, bell: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            shared: Arc::new(Shared {
                queue: Mutex::default(),
                timers: Mutex::default(),
                clock,
                bell: Box::new(bell),
            }),
        }
    }

    /// Runs `future` in the background.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let task = {
            let mut queue = lock(&self.shared.queue);
            queue.spawned += 1;
            let number = queue.spawned;
            let task = Arc::new(Task {
                number,
                future: Mutex::new(Some(Box::pin(future))),
                queued: AtomicBool::new(false),
                shared: Arc::clone(&self.shared),
            });
            queue.tasks.insert(number, Arc::clone(&task));
            task
        };
        task.wake();
    }

    /// Drops every task that has not ended, oldest first. A world does so when it is dropped:
    /// sockets keep the wakers of those who wait at them, and those keep the sockets, so nothing
    /// would ever be freed.
    pub fn end(&self) {
        while let Some((_, task)) = { lock(&self.shared.queue).tasks.pop_first() } {
            // A task that ends the world goes on until it waits.
            let future = task.future.try_lock().ok().and_then(|mut slot| slot.take());
            drop(future);
        }
    }

    /// How many spawned tasks have not ended.
    pub fn live_tasks(&self) -> usize {
        lock(&self.shared.queue).tasks.len()
    }

    /// Makes `future` the main task of a [`World::run`](crate::World::run); it is ready at once.
    pub fn main<'a, T>(&self, future: impl Future<Output = T> + 'a) -> MainTask<'a, T> {
        let waker = Arc::new(MainWaker { queued: AtomicBool::new(false), shared: Arc::clone(&self.shared) });
        Arc::clone(&waker).wake();
        MainTask { future: Box::pin(future), waker }
    }

    /// Polls what is ready, first woken first, at most `budget` polls. For worlds only.
    pub fn run_ready<T>(&self, main: &mut MainTask<'_, T>, budget: usize) -> Progress<T> {
        for polls in 0..budget {
            let Some(ready) = lock(&self.shared.queue).ready.pop_front() else {
                return Progress::Idle(polls);
            };
            match ready {
                Ready::Main => {
                    main.waker.queued.store(false, Ordering::Release);
                    let waker = Waker::from(Arc::clone(&main.waker));
                    if let Poll::Ready(done) = main.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                        return Progress::Done(done);
                    }
                }
                Ready::Task(task) => self.poll_task(task),
            }
        }
        if self.has_ready() { Progress::Busy } else { Progress::Idle(budget) }
    }

    /// Whether anything waits to be polled.
    pub fn has_ready(&self) -> bool {
        !lock(&self.shared.queue).ready.is_empty()
    }

    /// When the earliest sleeper wants to be woken. For worlds only.
    pub fn next_timer(&self) -> Option<Instant> {
        lock(&self.shared.timers).sleeping.keys().next().map(|(at, _)| *at)
    }

    /// Wakes every sleeper whose time has come. For worlds only.
    pub fn fire_timers(&self, now: Instant) {
        loop {
            let due = {
                let mut timers = lock(&self.shared.timers);
                match timers.sleeping.first_entry() {
                    Some(first) if first.key().0 <= now => first.remove(),
                    _ => return,
                }
            };
            due.wake();
        }
    }

    /// Resolves at `deadline`.
    pub fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep { shared: Arc::clone(&self.shared), deadline, key: None }
    }

    /// Resolves `duration` from now.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.shared.clock.now() + duration)
    }

    /// Wakes a world that sleeps in the operating system: something has to be looked at.
    pub(crate) fn ring(&self) {
        (self.shared.bell)();
    }

    fn poll_task(&self, task: Arc<Task>) {
        task.queued.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(&task));
        let mut slot = lock(&task.future);
        let Some(future) = slot.as_mut() else { return };
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            let ended = slot.take();
            drop(slot);
            // Dropped outside the lock: a future's own drop may wake this very task.
            drop(ended);
            lock(&self.shared.queue).tasks.remove(&task.number);
        }
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").field("live_tasks", &self.live_tasks()).finish_non_exhaustive()
    }
}

/// Lets everybody else who can go on do so first.
///
/// A world is one thread. A task that waits only when there is nothing for it to do, because
/// somebody outside sends without end or because all that it tries fails at once, would keep the
/// world from its clock, its devices and its signals; and what it hands to the stack would pile up,
/// since the stack has no turn either.
pub async fn give_way() {
    let mut has_waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Resolves when its deadline has come. Dropping it takes the timer away.
#[must_use = "a future does nothing unless polled"]
pub struct Sleep {
    shared: Arc<Shared>,
    deadline: Instant,
    key: Option<u64>,
}

impl Sleep {
    /// When it resolves.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.shared.clock.now() >= self.deadline {
            return Poll::Ready(());
        }
        let shared = Arc::clone(&self.shared);
        {
            let mut timers = lock(&shared.timers);
            let key = self.key.unwrap_or_else(|| {
                timers.next_key += 1;
                timers.next_key
            });
            self.key = Some(key);
            timers.sleeping.insert((self.deadline, key), cx.waker().clone());
        }
        (shared.bell)();
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            lock(&self.shared.timers).sleeping.remove(&(self.deadline, key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasstack_journal::WallTime;

    struct Stopped;

    impl Clock for Stopped {
        fn now(&self) -> Instant {
            Instant::ZERO
        }
        fn wall(&self) -> WallTime {
            WallTime::from_unix_seconds(0)
        }
    }

    /// An executor with a task that sleeps for an hour and holds the sign of life returned.
    fn with_a_sleeper() -> (Executor, Arc<()>) {
        let executor = Executor::new(Arc::new(Stopped), || {});
        let alive = Arc::new(());
        let (held, sleep) = (Arc::clone(&alive), executor.sleep(Duration::from_secs(3600)));
        executor.spawn(async move {
            sleep.await;
            drop(held);
        });
        executor.run_ready(&mut executor.main(async {}), 10);
        executor.run_ready(&mut executor.main(std::future::pending::<()>()), 10);
        (executor, alive)
    }

    #[test]
    fn the_end_drops_what_still_waits() {
        let (executor, alive) = with_a_sleeper();
        assert_eq!((executor.live_tasks(), Arc::strong_count(&alive)), (1, 2));
        executor.end();
        assert_eq!((executor.live_tasks(), Arc::strong_count(&alive)), (0, 1));
    }

    #[test]
    fn a_task_whose_waker_is_dropped_is_still_there() {
        let (executor, alive) = with_a_sleeper();
        lock(&executor.shared.timers).sleeping.clear();
        assert_eq!((executor.live_tasks(), Arc::strong_count(&alive)), (1, 2));
    }
}
