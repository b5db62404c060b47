//! Arguments for snapshots of etcd.

use clap::Args;

use crate::source::EtcdOptions;

/// How snapshots of etcd are read.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Reading snapshots")]
pub struct EtcdArgs {
    /// etcd: the keys at this revision; default: the head
    ///
    /// Any from the compacted revision on, which `mdiff info` tells. Members of one cluster that are not equally far can be
    /// compared at the lower of their head revisions.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), hide_short_help = true)]
    pub rev: Option<u64>,
}

impl EtcdArgs {
    /// As the reader wants them.
    pub fn options(&self) -> EtcdOptions {
        EtcdOptions { revision: self.rev }
    }
}
