use std::fs;
use std::path::Path;
use std::time::Instant;

use floe_driver::{Buffers, DriverError, Goal, Packing};

use crate::args::{Bench, BenchArgs, OffsetsArgs};
use crate::report::{Exit, say, unreadable};

/// Measures a part of the compiler.
pub(crate) fn bench(args: &BenchArgs) -> Result<(), Exit> {
    match &args.bench {
        Bench::Offsets(args) => offsets(args),
    }
}

/// Packs a list of buffers and says how well; fails above the capacity.
fn offsets(args: &OffsetsArgs) -> Result<(), Exit> {
    let buffers = Buffers::read(&args.file, args.source.limit()).map_err(unreadable)?;
    let capacity = args.capacity.map(|size| size.as_u64());
    let height = capacity.map_or(0, |capacity| usize::try_from(capacity).unwrap_or(usize::MAX));
    let begin = Instant::now();
    let packing = buffers.pack(args.alignment, Goal { height, work: args.work }).map_err(unreadable)?;
    let seconds = begin.elapsed().as_secs_f64();
    say(&summary(buffers.items.len(), &packing, capacity, seconds));
    if let Some(output) = &args.output {
        write(output, &buffers.with_offsets(&packing))?;
    }
    match (packing.height as u64).saturating_sub(capacity.unwrap_or(u64::MAX)) {
        0 => Ok(()),
        more => {
            eprintln!(
                "the buffers need {more} {} more than the capacity",
                if more == 1 { "byte" } else { "bytes" }
            );
            Err(Exit::Program)
        }
    }
}

fn summary(buffers: usize, packing: &Packing, capacity: Option<u64>, seconds: f64) -> String {
    let mut lines = vec![
        format!("buffers      {buffers}"),
        format!("height       {}", packing.height),
        format!("lower bound  {}", packing.lower_bound),
    ];
    lines.extend(capacity.map(|capacity| format!("capacity     {capacity}")));
    lines.push(format!("time         {seconds:.3} s\n"));
    lines.join("\n")
}

fn write(path: &Path, text: &str) -> Result<(), Exit> {
    fs::write(path, text).map_err(|error| {
        unreadable(DriverError::Unwritable { path: path.display().to_string(), reason: error.to_string() })
    })
}
