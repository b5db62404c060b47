//! Runs a parser on an input and says what it did that no input may make it do.

use std::alloc::{GlobalAlloc, Layout, System};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The system's allocator, counting.
pub struct Counting;

static CURRENT: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

fn count(more: usize, less: usize) {
    let change = more as isize - less as isize;
    let now = CURRENT.fetch_add(change, SeqCst) + change;
    PEAK.fetch_max(now, SeqCst);
    LARGEST.fetch_max(more, SeqCst);
}

// SAFETY: every call is passed on as it is; the counters are atomics, so nothing here allocates or unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller keeps the contract of this very function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

/// What an input may take.
#[derive(Clone, Copy)]
pub struct Allowed {
    pub time: Duration,
    pub allocation_bytes: usize,
    pub peak_bytes: usize,
}

impl Allowed {
    /// For a file of this many bytes.
    pub fn for_file(len: usize) -> Allowed {
        Allowed {
            time: Duration::from_secs(1),
            allocation_bytes: 4 * len + (1 << 20),
            peak_bytes: 2 * len + (64 << 20),
        }
    }
}

/// How long a run may take before it is given up for hanging.
const HANGS: Duration = Duration::from_secs(30);

type Run = Arc<dyn Fn() + Send + Sync>;

/// One at a time: the counters are the process's.
static ONE: Mutex<()> = Mutex::new(());

/// A thread that runs inputs, replaced when one hangs.
pub struct Harness {
    runs: Sender<Run>,
    results: Receiver<Result<(), String>>,
    hangs: Duration,
    _one: MutexGuard<'static, ()>,
    pub inputs: u64,
    pub worst: Worst,
}

/// The most that any input took.
#[derive(Default, Debug)]
pub struct Worst {
    pub time: Duration,
    pub allocation_bytes: usize,
    pub peak_bytes: usize,
}

fn worker() -> (Sender<Run>, Receiver<Result<(), String>>) {
    let (runs, todo) = channel::<Run>();
    let (done, results) = channel();
    std::thread::spawn(move || {
        for run in todo {
            let result = std::panic::catch_unwind(AssertUnwindSafe(|| run())).map_err(|panic| {
                let text = panic.downcast_ref::<String>().cloned();
                text.or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string()))
                    .unwrap_or_default()
            });
            drop(run);
            if done.send(result).is_err() {
                return;
            }
        }
    });
    (runs, results)
}

impl Harness {
    pub fn new() -> Harness {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (runs, results) = worker();
        Harness {
            runs,
            results,
            hangs: HANGS,
            _one: one,
            inputs: 0,
            worst: Worst::default(),
        }
    }

    /// Runs `run`, and once more where it took too long: the machine may have been busy.
    pub fn check(
        &mut self,
        allowed: Allowed,
        run: impl Fn() + Send + Sync + 'static,
    ) -> Result<(), String> {
        self.inputs += 1;
        let run: Run = Arc::new(run);
        let mut shortest = Duration::MAX;
        for _ in 0..3 {
            let before = CURRENT.load(SeqCst);
            PEAK.store(before, SeqCst);
            LARGEST.store(0, SeqCst);
            let start = Instant::now();
            self.runs.send(run.clone()).unwrap();
            match self.results.recv_timeout(self.hangs) {
                Ok(result) => result.map_err(|text| format!("a panic: {text}"))?,
                Err(RecvTimeoutError::Timeout) => {
                    (self.runs, self.results) = worker();
                    return Err("a hang".into());
                }
                Err(RecvTimeoutError::Disconnected) => return Err("a dead thread".into()),
            }
            shortest = shortest.min(start.elapsed());
            let largest = LARGEST.load(SeqCst);
            let peak = (PEAK.load(SeqCst) - before).max(0) as usize;
            self.worst.allocation_bytes = self.worst.allocation_bytes.max(largest);
            self.worst.peak_bytes = self.worst.peak_bytes.max(peak);
            if largest > allowed.allocation_bytes {
                return Err(format!("an allocation of {largest} bytes"));
            }
            if peak > allowed.peak_bytes {
                return Err(format!("{peak} bytes at once"));
            }
            if shortest <= allowed.time {
                self.worst.time = self.worst.time.max(shortest);
                return Ok(());
            }
        }
        Err(format!("{shortest:?}"))
    }

    pub fn report(&self, what: &str) {
        println!(
            "{what}: {} inputs; at worst {:?}, an allocation of {} KiB, a peak of {} KiB",
            self.inputs,
            self.worst.time,
            self.worst.allocation_bytes >> 10,
            self.worst.peak_bytes >> 10
        );
    }
}

#[test]
fn canaries_die() {
    let mut harness = Harness::new();
    let allowed = Allowed::for_file(1000);
    let noticed = |result: Result<(), String>, what: &str| {
        let error = result.expect_err(what);
        assert!(error.contains(what), "{error}");
    };
    assert_eq!(harness.check(allowed, || ()), Ok(()));
    noticed(
        harness.check(allowed, || panic!("planted {}", 1)),
        "planted 1",
    );
    noticed(
        harness.check(allowed, || {
            assert!(!std::hint::black_box([0u8; 0]).is_empty())
        }),
        "panic",
    );
    noticed(
        harness.check(allowed, || {
            drop(std::hint::black_box(Vec::<u8>::with_capacity(1 << 30)))
        }),
        "an allocation of 1073741824 bytes",
    );
    noticed(
        harness.check(allowed, || drop(std::hint::black_box(vec![0u8; 2 << 20]))),
        "an allocation of",
    );
    noticed(
        harness.check(allowed, || {
            let many: Vec<Vec<u8>> = (0..100).map(|_| vec![1u8; 1 << 20]).collect();
            std::hint::black_box(many);
        }),
        "bytes at once",
    );
    // Other threads count too: sources work on several.
    noticed(
        harness.check(allowed, || {
            std::thread::spawn(|| drop(std::hint::black_box(vec![0u8; 5 << 20])))
                .join()
                .unwrap();
        }),
        "an allocation of",
    );
    noticed(
        harness.check(allowed, || std::thread::sleep(Duration::from_millis(1100))),
        "1.1",
    );
    harness.hangs = Duration::from_millis(300);
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    noticed(
        harness.check(allowed, move || {
            while !seen.load(SeqCst) {
                std::thread::yield_now();
            }
        }),
        "a hang",
    );
    stop.store(true, SeqCst);
    assert_eq!(harness.check(allowed, || ()), Ok(()), "and goes on");
}
