//! Against databases that the library writes, and those of testdata.
