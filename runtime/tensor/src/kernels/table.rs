//! Rows by index, and the embedding of time: little work, on the calling thread.

use floe_formats::element;
use floe_nets::Id;
use floe_nets::ir::OpKind;

use super::{Job, Prepared, math};
use crate::EngineError;
use crate::memory::Source;

/// Rows of a table in the file, and of `extra` behind them.
pub(super) fn embedding(job: &Job<'_>) -> Result<(), EngineError> {
    let Prepared::File(rows) = &job.weights[job.op.weights[0].index()] else {
        unreachable!("tables of embeddings are kept as rows")
    };
    let bytes = match &rows.changed {
        Some(bytes) => bytes,
        None => job.store.file_bytes()?,
    };
    let extra = if job.op.kind == OpKind::EmbeddingExtra { job.x[1] } else { Source::new(&[]) };
    let extra_rows = extra.len() / rows.channels.max(1);
    for (position, &index) in job.indices.iter().enumerate() {
        let row = row(index, rows.count + extra_rows)?;
        if row >= rows.count {
            let from = (row - rows.count) * rows.channels;
            job.output.copy(position * rows.channels, extra, from, rows.channels);
            continue;
        }
        let stored = &bytes[rows.start + row * rows.bytes..][..rows.bytes];
        for (column, value) in stored.chunks_exact(rows.dtype.bytes()).enumerate() {
            job.output.set(position * rows.channels + column, element(rows.dtype, value));
        }
    }
    Ok(())
}

pub(super) fn gather_row(job: &Job<'_>) -> Result<(), EngineError> {
    let (tokens, channels) = (job.shape(0)[1], job.channels());
    for (item, &index) in job.indices.iter().enumerate() {
        let row = item * tokens + row(index, tokens)?;
        job.output.copy(item * channels, job.x[0], row * channels, channels);
    }
    Ok(())
}

fn row(index: i32, rows: usize) -> Result<usize, EngineError> {
    usize::try_from(index).ok().filter(|&row| row < rows).ok_or(EngineError::Index { index, rows })
}

/// Wavelengths are rounded where the reference implementation rounds them: their errors are multiplied by time.
pub(super) fn timestep_embedding(job: &Job<'_>) -> Result<(), EngineError> {
    let OpKind::TimestepEmbedding { channels, max_period } = job.op.kind else {
        unreachable!("the table says so")
    };
    let half = channels / 2;
    let scale = -f64::from(max_period).ln() as f32;
    for item in 0..job.x[0].len() {
        let time = job.x[0].get(item);
        for index in 0..half {
            let exponent = scale * index as f32 / half as f32;
            let (sin, cos) = math::sin_cos(time * math::exp_f64(f64::from(exponent)) as f32);
            job.output.set(item * channels + index, cos);
            job.output.set(item * channels + half + index, sin);
        }
    }
    Ok(())
}
