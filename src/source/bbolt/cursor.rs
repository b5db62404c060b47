//! Scanning the tree of one bucket, from its root page down.
//!
//! A child's keys must lie between its own key in the branch and the next one. So a page that is reached twice, or from itself,
//! is found without a list of pages: its keys would have to lie in two places.

use super::file::{BoltFile, Root};
use super::page::{Element, Page};
use super::seen::Seen;
use crate::error::{Error, Result, UnreadableKeys};
use crate::range::KeyRange;
use crate::row::{Row, RowStream};

/// The elements of a bucket within a key range.
pub struct Scan<'a> {
    file: &'a BoltFile,
    range: KeyRange,
    stack: Vec<Level<'a>>,
    /// The root, until it is read.
    root: Option<Root>,
    /// Whether keys of the bucket are keys of rows, so that an unreadable page hides a range of these.
    hides_keys: bool,
    seen: Option<Seen>,
}

/// A page on the way down, and the keys between which it lies.
struct Level<'a> {
    page: Page<'a>,
    next: usize,
    bounds: KeyRange,
}

impl<'a> Scan<'a> {
    /// The elements of the bucket at `root` in `range`.
    pub fn new(file: &'a BoltFile, root: Root, range: &KeyRange) -> Scan<'a> {
        Scan {
            file,
            range: range.clone(),
            stack: Vec::new(),
            root: (!range.is_empty()).then_some(root),
            hides_keys: true,
            seen: None,
        }
    }

    /// Keys of the bucket are not those of rows: an unreadable page then ends the scan.
    #[must_use]
    pub fn of_other_keys(mut self) -> Scan<'a> {
        self.hides_keys = false;
        self
    }

    /// Records every page that it reads in `seen`, and refuses one that is there.
    #[must_use]
    pub fn recording(mut self, seen: Seen) -> Scan<'a> {
        self.seen = Some(seen);
        self
    }

    /// The pages that were recorded.
    pub fn into_seen(self) -> Option<Seen> {
        self.seen
    }

    /// The next element, also one that is a bucket.
    ///
    /// # Errors
    ///
    /// As of [`RowStream::next`].
    pub fn next_element(&mut self) -> Result<Option<Element<'_>>> {
        if let Some(root) = self.root.take() {
            self.enter(root, KeyRange::all())?;
        }
        while let Some(level) = self.stack.last_mut() {
            let at = level.next;
            level.next += 1;
            if at >= level.page.count() {
                self.stack.pop();
                continue;
            }
            if let Some(to) = &self.range.to
                && level.page.key(at).is_none_or(|key| key >= to.as_slice())
            {
                self.stack.clear();
                break;
            }
            if !level.page.is_branch {
                // Borrowed anew: the loop may not hold it.
                return Ok(self.stack.last().and_then(|level| level.page.element(at)));
            }
            let bounds = KeyRange {
                from: level.page.key(at).unwrap_or_default().to_vec(),
                to: match level.page.key(at + 1) {
                    Some(key) if at + 1 < level.page.count() => Some(key.to_vec()),
                    _ => level.bounds.to.clone(),
                },
            };
            let child = level.page.child(at).unwrap_or_default();
            self.enter(Root::Page(child), bounds)?;
        }
        Ok(None)
    }

    fn enter(&mut self, root: Root, bounds: KeyRange) -> Result<()> {
        let (page, pages) = self.read(root, &bounds).map_err(|error| {
            if !self.hides_keys {
                return error;
            }
            let hidden = bounds.intersection(&self.range);
            error.hiding(UnreadableKeys {
                from: hidden.from,
                to: hidden.to,
            })
        })?;
        if let (Some(seen), Root::Page(id)) = (&mut self.seen, root) {
            let twice = seen.insert(id, pages);
            if let Some(twice) = twice {
                self.stack.clear();
                let what = format!("page {twice} is reached twice");
                return Err(Error::damaged(self.file.input.path(), page.offset, what));
            }
        }
        let next = match page.is_branch {
            true => page.find_child(&self.range.from),
            false => page.find(&self.range.from),
        };
        self.stack.push(Level { page, next, bounds });
        Ok(())
    }

    /// Reads a page and checks that it fits where it hangs.
    fn read(&self, root: Root, bounds: &KeyRange) -> Result<(Page<'a>, u64)> {
        let path = self.file.input.path();
        let (page, pages) = self.file.root(root)?;
        let damaged = |what: &str| Err(Error::damaged(path, page.offset, what));
        if self.stack.len() as u64 >= self.file.input.limits().depth_max {
            return damaged("the tree is deeper than any tree of such pages can be");
        }
        match page.ends() {
            // Only an empty bucket has an empty page.
            None if !self.stack.is_empty() || page.is_branch => damaged("an empty page in a tree"),
            Some((first, last)) if !bounds.contains(first) || !bounds.contains(last) => {
                damaged("the keys of a page are not between those of the branch that it hangs from")
            }
            _ => Ok((page, pages)),
        }
    }
}

impl RowStream for Scan<'_> {
    fn next(&mut self) -> Result<Option<Row<'_>>> {
        // As the element is lent, the loop can't give it out; so it finds one, and that is looked up again.
        loop {
            match self.next_element()? {
                None => return Ok(None),
                Some(element) if element.is_bucket => {}
                Some(_) => break,
            }
        }
        let last = self.stack.last().and_then(|level| {
            let at = level.next.checked_sub(1)?;
            level.page.element(at)
        });
        Ok(last.map(|element| Row {
            key: element.key,
            value: element.value,
        }))
    }
}

/// The last key of a bucket.
///
/// # Errors
///
/// Damaged; Limit; I/O errors.
pub fn last_key(file: &BoltFile, root: Root) -> Result<Option<Vec<u8>>> {
    let (mut page, _) = file.root(root)?;
    for _ in 0..file.input.limits().depth_max {
        let Some(last) = page.count().checked_sub(1) else {
            return Ok(None);
        };
        if !page.is_branch {
            return Ok(page.key(last).map(<[u8]>::to_vec));
        }
        page = file.page(page.child(last).unwrap_or_default())?.0;
    }
    let what = "the tree is deeper than any tree of such pages can be";
    Err(Error::damaged(file.input.path(), page.offset, what))
}

/// Keys that cut a bucket into about even pieces, from its upper pages. What can't be read there, the scan will tell.
pub fn split(file: &BoltFile, root: Root, range: &KeyRange, pieces: usize) -> Vec<Vec<u8>> {
    let inside = |key: &[u8]| key > range.from.as_slice() && range.contains(key);
    let mut pages: Vec<Page<'_>> = file.root(root).into_iter().map(|(page, _)| page).collect();
    let mut keys = Vec::new();
    for _ in 0..file.input.limits().depth_max {
        keys = pages
            .iter()
            .flat_map(|page| (0..page.count()).filter_map(|at| page.key(at)))
            .filter(|key| inside(key))
            .map(<[u8]>::to_vec)
            .collect();
        let is_enough = keys.len() >= pieces.saturating_mul(4);
        if is_enough || pages.iter().any(|page| !page.is_branch) {
            break;
        }
        pages = pages
            .iter()
            .flat_map(|page| {
                let first = page.find_child(&range.from);
                let last = match &range.to {
                    Some(to) => page.find(to),
                    None => page.count(),
                };
                (first..last.max(first + 1)).filter_map(|at| page.child(at))
            })
            .filter_map(|child| file.page(child).ok().map(|(page, _)| page))
            .collect();
    }
    // Damaged pages may hold any keys.
    keys.sort_unstable();
    keys.dedup();
    let count = pieces.saturating_sub(1).min(keys.len());
    (1..=count)
        .filter_map(|piece| keys.get(keys.len() * piece / (count + 1)).cloned())
        .collect()
}
