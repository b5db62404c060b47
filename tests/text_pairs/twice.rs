//! Keys that stand twice.

use std::fs;

use crate::common::{Random, mdiff};
use crate::layout;

/// Lines of a text with a key that stands twice, and the numbers of the two lines.
fn with_a_duplicate(random: &mut Random) -> (String, [usize; 2]) {
    let rows = 2 + random.below(400) as usize;
    let mut order: Vec<usize> = (0..rows).collect();
    if random.below(2) == 0 {
        random.shuffle(&mut order);
    }
    let copy = order[random.below(rows as u64) as usize];
    order.insert(random.below(rows as u64 + 1) as usize, copy);
    let mut text = String::from("v,id,w\n");
    let mut places = Vec::new();
    for id in order {
        if id == copy {
            places.push(text.matches('\n').count() + 1);
        }
        let newlines = "\n".repeat(random.below(3) as usize);
        text += &format!("{},key{id:04},\"a{newlines}b\"\n", random.below(100));
    }
    (text, [places[0], places[1]])
}

#[test]
fn a_key_that_stands_twice_is_an_error_that_names_both_places() {
    let rounds = if cfg!(debug_assertions) { 20 } else { 300 };
    for seed in 0..rounds {
        let mut random = Random(seed);
        let dir = tempfile::tempdir().unwrap();
        let (text, [first, second]) = with_a_duplicate(&mut random);
        let ending = ["", ".gz", ".zst"][random.below(3) as usize];
        let name = format!("twice.csv{ending}");
        fs::write(
            dir.path().join(&name),
            layout::compress(text.as_bytes(), ending),
        )
        .unwrap();
        fs::write(dir.path().join("fine.csv"), "v,id,w\n1,2,3\n").unwrap();
        for args in [
            &["build", &name, "-o", "t.mtree"][..],
            &["compare", &name, "fine.csv"],
            &["diff", "fine.csv", &name],
            &["patch", &name, "fine.csv"],
            &["convert", &name, "-o", "t.csv"],
            &["cat", &name, "--json"],
        ] {
            let way = ["-j1", "-j2", "-j8", "--no-mmap"][random.below(4) as usize];
            let ran = mdiff(args)
                .args(["--key=id", way])
                .in_dir(&dir)
                .run()
                .exits(3);
            for line in [first, second] {
                assert!(
                    ran.stderr.contains(&format!("line {line},")),
                    "seed {seed}: {ran:#?}"
                );
            }
        }
        let files = fs::read_dir(&dir).unwrap().count();
        assert_eq!(files, 2, "seed {seed}: something was left behind");
    }
    println!("{rounds} texts with a key that stands twice");
}
