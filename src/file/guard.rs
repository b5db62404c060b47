//! The SIGBUS guard: reading a mapped page that the file no longer has gives zeros and a mark, not a signal.
//!
//! A longjmp out of the handler can't work under a thread pool, so the handler repairs instead: it maps zero pages from the
//! faulting page to the end of the mapping, notes where that was, and lets the reader go on. The reader asks for the
//! note before it believes what it read. systemd's basic/sigbus.c does the same.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Mappings that can be guarded at once; whoever comes later reads without mapping.
const SLOTS: usize = 8192;

/// No address of a mapping, so marks of a slot that is free or being filled.
const FREE: usize = 0;
const TAKEN: usize = 1;

const NO_FAULT: usize = usize::MAX;

/// One guarded mapping. The handler may read it at any moment: `start` is written last on entry and first on exit.
struct Slot {
    start: AtomicUsize,
    end: AtomicUsize,
    /// Offset of the lowest faulting page in the mapping, in bytes.
    fault: AtomicUsize,
}

static TABLE: [Slot; SLOTS] = [const {
    Slot {
        start: AtomicUsize::new(FREE),
        end: AtomicUsize::new(0),
        fault: AtomicUsize::new(NO_FAULT),
    }
}; SLOTS];

/// Where the search for a free slot starts.
static NEXT: AtomicUsize = AtomicUsize::new(0);

static PAGE_BYTES: AtomicUsize = AtomicUsize::new(0);
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// A guarded mapping's place in the table; the guard ends when it is dropped.
pub(super) struct Registration {
    slot: &'static Slot,
}

impl Registration {
    /// Guards the mapping of `len` bytes at `start`, which must be alive as long as the registration. `None` where the
    /// table is full or the handler can't be installed.
    ///
    /// # Safety
    ///
    /// `start` and `len` are a read-only mapping of the caller's own, and nothing else uses its pages: a fault replaces
    /// them.
    pub unsafe fn new(start: *const u8, len: usize) -> Option<Registration> {
        static INSTALLED: OnceLock<bool> = OnceLock::new();
        if !*INSTALLED.get_or_init(install) {
            return None;
        }
        let first = NEXT.fetch_add(1, SeqCst);
        let slot = (0..SLOTS).find_map(|i| {
            let slot = TABLE.get(first.wrapping_add(i) % SLOTS)?;
            slot.start
                .compare_exchange(FREE, TAKEN, SeqCst, SeqCst)
                .ok()
                .map(|_| slot)
        })?;
        slot.fault.store(NO_FAULT, SeqCst);
        slot.end.store(start as usize + len, SeqCst);
        slot.start.store(start as usize, SeqCst);
        Some(Registration { slot })
    }

    /// Offset of the lowest page that could not be read, in bytes from the start of the mapping.
    pub fn fault(&self) -> Option<u64> {
        match self.slot.fault.load(SeqCst) {
            NO_FAULT => None,
            offset => Some(offset as u64),
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.slot.start.store(FREE, SeqCst);
    }
}

fn install() -> bool {
    // SAFETY: sysconf has no preconditions. The structs are plain data for which zero is valid, and live through the
    // calls. The handler keeps to what may be done in one (see there). SA_ONSTACK: std gives every Rust thread a signal stack.
    unsafe {
        let Ok(page) = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)) else {
            return false;
        };
        PAGE_BYTES.store(page, SeqCst);
        let mut old: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(libc::SIGBUS, ptr::null(), &mut old) != 0 {
            return false;
        }
        // Known before our handler can run.
        let _ = PREVIOUS.set(old);
        let mut new: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = on_sigbus as extern "C" fn(_, _, _) as usize;
        new.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigemptyset(&mut new.sa_mask);
        libc::sigaction(libc::SIGBUS, &new, ptr::null_mut()) == 0
    }
}

/// The handler. It touches atomics, `mmap` (a bare system call on the systems in question) and, to pass the signal on, the
/// handler that was there before; it takes no lock and allocates nothing.
extern "C" fn on_sigbus(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel hands a valid siginfo to a handler with SA_SIGINFO.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr() as usize) };
    // Codes from 1 are faults; others come from kill(2) and carry no address.
    if code > 0 && cover(address) {
        return;
    }
    pass_on(signal, info, context, code > 0);
}

/// Maps zero pages over the fault if it lies in a guarded mapping.
fn cover(address: usize) -> bool {
    for slot in &TABLE {
        let start = slot.start.load(SeqCst);
        if start <= TAKEN || address < start {
            continue;
        }
        let end = slot.end.load(SeqCst);
        // The slot of the faulting mapping can't change, since its reader holds it; another one's may, and is then skipped.
        if address >= end || slot.start.load(SeqCst) != start {
            continue;
        }
        let page_mask = PAGE_BYTES.load(SeqCst).wrapping_sub(1);
        let page = address & !page_mask;
        let len = end.wrapping_sub(page).wrapping_add(page_mask) & !page_mask;
        slot.fault.fetch_min(page.wrapping_sub(start), SeqCst);
        let errno = errno();
        // SAFETY: by the contract of `Registration::new` the pages from `page` to the end belong to one read-only
        // mapping that a reader holds right now; they are replaced by pages of the same protection, in one step for all threads.
        // Its owner unmaps them with the rest. errno is this thread's own.
        unsafe {
            let saved = *errno;
            let mapped = libc::mmap(
                page as *mut c_void,
                len,
                libc::PROT_READ,
                libc::MAP_FIXED | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            *errno = saved;
            return mapped != libc::MAP_FAILED;
        }
    }
    false
}

fn errno() -> *mut c_int {
    // SAFETY: the function has no preconditions; it returns the address of the thread's errno.
    unsafe {
        #[cfg(any(target_os = "linux", target_os = "emscripten"))]
        return libc::__errno_location();
        #[cfg(not(any(target_os = "linux", target_os = "emscripten")))]
        return libc::__error();
    }
}

/// Hands a signal that is not ours to the handler that was there before, or lets it end the process as it would have.
fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void, is_fault: bool) {
    let old = PREVIOUS.get().filter(|old| {
        old.sa_sigaction != libc::SIG_DFL && (old.sa_sigaction != libc::SIG_IGN || !is_fault)
    });
    // SAFETY: `sa_sigaction` is what sigaction gave: SIG_IGN, or a handler of the type that SA_SIGINFO says. Without one,
    // the default is restored: a fault repeats on return and then ends the process; a sent signal is sent again.
    unsafe {
        match old {
            Some(old) if old.sa_sigaction == libc::SIG_IGN => {}
            Some(old) if old.sa_flags & libc::SA_SIGINFO != 0 => {
                let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                    std::mem::transmute(old.sa_sigaction);
                handler(signal, info, context);
            }
            Some(old) => {
                let handler: extern "C" fn(c_int) = std::mem::transmute(old.sa_sigaction);
                handler(signal);
            }
            None => {
                libc::signal(signal, libc::SIG_DFL);
                if !is_fault {
                    libc::raise(signal);
                }
            }
        }
    }
}
