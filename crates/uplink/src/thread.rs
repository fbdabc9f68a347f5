//! A world on a thread of its own, for programs that have a thread or a runtime already.
//!
//! Sockets are `Send` and their wakers may be called from any thread: a program under tokio uses
//! them as they are, a blocking one through [`WorldThread::block_on`].

use crate::world::{TapWorld, WorldError};
use glasstack_stack::World;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};

/// A running world. Dropping it stops the world and waits for its thread.
#[derive(Debug)]
pub struct WorldThread {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<TapWorld, WorldError>>>,
}

/// To block on what happens in a running world, from any thread. Cheap to clone; it does not keep
/// the world running.
#[derive(Clone, Debug)]
pub struct WorldHandle {
    shared: Arc<Shared>,
}

/// The world has ended, so nothing can ever happen on its network again. Why it did,
/// [`WorldThread::stop`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the world's thread has ended")]
pub struct WorldEnded;

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    ended: AtomicBool,
    world: Mutex<Option<Waker>>,
    callers: Mutex<Vec<Thread>>,
}

impl WorldThread {
    /// Runs `world` until it is stopped or fails.
    pub fn start(world: TapWorld) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let inside = Arc::clone(&shared);
        let thread = thread::Builder::new().name("glasstack-world".to_owned()).spawn(move || {
            let _end = TellEnd(Arc::clone(&inside));
            run_until_stopped(world, &inside)
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Blocks the calling thread until `future` is done.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> Result<T, WorldEnded> {
        block_on(&self.shared, future)
    }

    /// A handle that blocks as this one does, for those who may outlive the world.
    pub fn handle(&self) -> WorldHandle {
        WorldHandle { shared: Arc::clone(&self.shared) }
    }

    /// Stops the world and gives it back, so that it can be drained; or tells why it had ended.
    pub fn stop(mut self) -> Result<TapWorld, WorldError> {
        self.shared.stop();
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => unreachable!("only `stop` and `drop` take the thread, and each comes last"),
        }
    }
}

impl Drop for WorldThread {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(thread) = self.thread.take() {
            // Nobody asks any more how it ended.
            let _ = thread.join();
        }
    }
}

impl WorldHandle {
    /// Blocks the calling thread until `future` is done.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> Result<T, WorldEnded> {
        block_on(&self.shared, future)
    }
}

fn block_on<T>(shared: &Shared, future: impl Future<Output = T>) -> Result<T, WorldEnded> {
    let caller = thread::current();
    lock(&shared.callers).push(caller.clone());
    let _leave = Leave { shared, caller: &caller };
    let waker = Waker::from(Arc::new(Unpark(caller.clone())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Ok(done);
        }
        if shared.ended.load(Ordering::SeqCst) {
            return Err(WorldEnded);
        }
        thread::park();
    }
}

fn run_until_stopped(mut world: TapWorld, shared: &Shared) -> Result<TapWorld, WorldError> {
    world.run(poll_fn(|context| {
        *lock(&shared.world) = Some(context.waker().clone());
        if shared.stop.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
    }))?;
    Ok(world)
}

impl Shared {
    fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(waker) = lock(&self.world).take() {
            waker.wake();
        }
    }
}

/// Wakes those who wait for a world that is no more, even if it panicked.
struct TellEnd(Arc<Shared>);

impl Drop for TellEnd {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::SeqCst);
        for caller in lock(&self.0.callers).iter() {
            caller.unpark();
        }
    }
}

/// Takes a caller off the list.
struct Leave<'a> {
    shared: &'a Shared,
    caller: &'a Thread,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut callers = lock(&self.shared.callers);
        if let Some(position) = callers.iter().position(|other| other.id() == self.caller.id()) {
            callers.swap_remove(position);
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_task_spawned_from_another_thread_wakes_the_sleeping_world() {
        let world = TapWorld::new().unwrap();
        let executor = world.environment().executor.clone();
        let thread = WorldThread::start(world).unwrap();
        for _ in 0..100 {
            let (done, wait) = oneshot();
            executor.spawn(async move { done.wake() });
            thread.block_on(wait).unwrap();
        }
        thread.stop().unwrap();
    }

    #[test]
    fn a_timer_set_from_another_thread_goes_off() {
        let world = TapWorld::new().unwrap();
        let executor = world.environment().executor.clone();
        let thread = WorldThread::start(world).unwrap();
        thread.block_on(executor.sleep(Duration::from_millis(2))).unwrap();
    }

    #[test]
    fn who_waits_for_a_world_that_has_ended_is_told() {
        let thread = WorldThread::start(TapWorld::new().unwrap()).unwrap();
        thread.shared.stop();
        assert_eq!(thread.block_on(std::future::pending::<()>()), Err(WorldEnded));
        assert!(thread.stop().is_ok());
    }

    /// A flag, and a future that waits for it.
    fn oneshot() -> (Arc<Flag>, impl Future<Output = ()>) {
        let flag = Arc::new(Flag::default());
        let waiting = Arc::clone(&flag);
        let wait = poll_fn(move |context| {
            *lock(&waiting.waker) = Some(context.waker().clone());
            if waiting.raised.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        });
        (flag, wait)
    }

    #[derive(Default)]
    struct Flag {
        raised: AtomicBool,
        waker: Mutex<Option<Waker>>,
    }

    impl Flag {
        fn wake(&self) {
            self.raised.store(true, Ordering::SeqCst);
            if let Some(waker) = lock(&self.waker).take() {
                waker.wake();
            }
        }
    }
}
