//! The difference that a patch makes (LoRA: Hu et al. 2021; LoHa: Hyeon-Woo et al. 2021; LoKr: Yeh et al. 2023; DoRA:
//! Liu et al. 2024).

use std::sync::Arc;

use floe_formats::{Header, Method, Module, Piece};

use super::Numbers;
use crate::memory::Sink;
use crate::weights::numbers;
use crate::{MappedFile, Pool};

/// A patch of one layer, and where its tensors lie.
pub(super) struct Delta<'a> {
    pub(super) file: &'a Arc<MappedFile>,
    pub(super) header: &'a Header,
    pub(super) module: &'a Module,
    pub(super) strength: f32,
}

/// Rows and columns, row-major.
struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

impl Delta<'_> {
    /// Adds the difference to a weight or a bias.
    pub(super) fn apply(
        &self,
        bias: bool,
        shape: &[usize],
        values: &mut [f32],
        pool: &Pool,
    ) -> Result<(), String> {
        if bias {
            return add(values, &self.tensor(Piece::DiffBias)?.1, self.strength);
        }
        let rows = shape.first().copied().unwrap_or(1);
        let (scale, delta) = match self.module.method() {
            Some(Method::LowRank) => self.low_rank(pool)?,
            Some(Method::Hadamard) => self.hadamard(pool)?,
            Some(Method::Kronecker) => self.kronecker(rows, pool)?,
            Some(Method::Difference) => (1.0, self.tensor(Piece::Diff)?.1),
            None => return Err("its patch lacks tensors".to_owned()),
        };
        if delta.len() != values.len() {
            return Err(format!("a patch has {} numbers for {shape:?}", delta.len()));
        }
        match self.optional(Piece::DoraScale)? {
            Some((_, magnitude)) => self.decompose(&magnitude, rows, values, &delta, scale),
            None => add(values, &delta, self.strength * scale),
        }
    }

    fn low_rank(&self, pool: &Pool) -> Result<(f32, Vec<f32>), String> {
        let (up, down) = (self.matrix(Piece::Up)?, self.matrix(Piece::Down)?);
        let scale = self.scale(down.rows)?;
        let product = match self.optional(Piece::Mid)? {
            Some((shape, mid)) => tucker(&up, &shape, &mid, &down, pool)?,
            None => product(&up, &down, pool)?.values,
        };
        Ok((scale, product))
    }

    fn hadamard(&self, pool: &Pool) -> Result<(f32, Vec<f32>), String> {
        let (a, b) = (self.matrix(Piece::HadaW1A)?, self.matrix(Piece::HadaW1B)?);
        let scale = self.scale(b.rows)?;
        let half = |a: Matrix, b: Matrix, mid: Piece| match self.optional(mid)? {
            // With a middle, both matrices are [rank, …].
            Some((shape, mid)) => tucker(&a.turned(), &shape, &mid, &b, pool),
            None => product(&a, &b, pool).map(|matrix| matrix.values),
        };
        let mut first = half(a, b, Piece::HadaT1)?;
        let second = half(self.matrix(Piece::HadaW2A)?, self.matrix(Piece::HadaW2B)?, Piece::HadaT2)?;
        if first.len() != second.len() {
            return Err("the two products of its patch differ in size".to_owned());
        }
        first.iter_mut().zip(second).for_each(|(first, second)| *first *= second);
        Ok((scale, first))
    }

    /// `[a·c, b·d]` of `[a, b]` and `[c, d]`; what a convolution's kernel has lies behind.
    fn kronecker(&self, rows: usize, pool: &Pool) -> Result<(f32, Vec<f32>), String> {
        let mut rank = None;
        let left = match self.optional(Piece::LokrW1)? {
            Some(_) => self.matrix(Piece::LokrW1)?,
            None => {
                let (a, b) = (self.matrix(Piece::LokrW1A)?, self.matrix(Piece::LokrW1B)?);
                rank = Some(b.rows);
                product(&a, &b, pool)?
            }
        };
        let (right, taps) = match self.optional(Piece::LokrW2)? {
            Some((shape, _)) => (self.matrix(Piece::LokrW2)?, shape.iter().skip(2).product()),
            None => {
                let (a, b) = (self.matrix(Piece::LokrW2A)?, self.matrix(Piece::LokrW2B)?);
                rank = Some(b.rows);
                match self.optional(Piece::LokrT2)? {
                    Some((shape, mid)) => {
                        let values = tucker(&a.turned(), &shape, &mid, &b, pool)?;
                        let (rows, taps) = (a.columns, shape.iter().skip(2).product());
                        (Matrix { rows, columns: values.len() / rows.max(1), values }, taps)
                    }
                    None => (product(&a, &b, pool)?, 1),
                }
            }
        };
        let scale = rank.map_or(Ok(1.0), |rank| self.scale(rank))?;
        if left.rows * right.rows != rows {
            return Err(format!("its patch has {} rows, it has {rows}", left.rows * right.rows));
        }
        let taps: usize = taps;
        let channels = right.columns / taps.max(1);
        let row = left.columns * right.columns;
        let values = by_rows(rows, row, pool, |at, out| {
            let (outer, inner) = (at / right.rows, at % right.rows);
            for column in 0..left.columns {
                let factor = left.values[outer * left.columns + column];
                let from = &right.values[inner * right.columns..][..right.columns];
                let to = &mut out[column * channels * taps..][..right.columns];
                to.iter_mut().zip(from).for_each(|(to, from)| *to = factor * from);
            }
        });
        Ok((scale, values))
    }

    /// The weight's direction after the difference, with the magnitude that the patch has for each output, or input.
    fn decompose(
        &self,
        magnitude: &[f32],
        rows: usize,
        values: &mut [f32],
        delta: &[f32],
        scale: f32,
    ) -> Result<(), String> {
        let row = values.len() / rows.max(1);
        let by_row = magnitude.len() == rows;
        let columns = if by_row { 0 } else { magnitude.len() };
        if !by_row && (columns == 0 || !row.is_multiple_of(columns)) {
            return Err(format!("its patch has {} magnitudes", magnitude.len()));
        }
        let place = |index: usize| if by_row { index / row } else { index % row / (row / columns) };
        // Without the strength: that goes on to what is changed in all.
        let calculated: Vec<f32> =
            values.iter().zip(delta).map(|(value, delta)| value + scale * delta).collect();
        let measured = if by_row { &*values } else { &calculated };
        let mut squares = vec![0.0_f64; magnitude.len()];
        for (index, value) in measured.iter().enumerate() {
            squares[place(index)] += f64::from(*value) * f64::from(*value);
        }
        for (index, (value, calculated)) in values.iter_mut().zip(calculated).enumerate() {
            let norm = squares[place(index)].sqrt() as f32 + f32::EPSILON;
            let whole = calculated * (magnitude[place(index)] / norm);
            *value += self.strength * (whole - *value);
        }
        Ok(())
    }

    /// Alpha over rank; 1 without an alpha.
    fn scale(&self, rank: usize) -> Result<f32, String> {
        let alpha = self.optional(Piece::Alpha)?.and_then(|(_, values)| values.first().copied());
        Ok(alpha.map_or(1.0, |alpha| alpha / rank.max(1) as f32))
    }

    fn optional(&self, piece: Piece) -> Result<Option<Numbers>, String> {
        let Some(name) = self.module.pieces.get(&piece) else { return Ok(None) };
        let info = self.header.tensors.get(name).ok_or_else(|| format!("`{name}` is not in its file"))?;
        Ok(Some((info.shape.clone(), numbers(self.file, info)?)))
    }

    fn tensor(&self, piece: Piece) -> Result<Numbers, String> {
        self.optional(piece)?.ok_or_else(|| "its patch lacks tensors".to_owned())
    }

    /// A tensor as a matrix of its first dimension and all others.
    fn matrix(&self, piece: Piece) -> Result<Matrix, String> {
        let (shape, values) = self.tensor(piece)?;
        let rows = shape.first().copied().unwrap_or(1);
        Ok(Matrix { rows, columns: values.len() / rows.max(1), values })
    }
}

impl Matrix {
    fn turned(&self) -> Matrix {
        let place = |index: usize| index % self.rows * self.columns + index / self.rows;
        let values = (0..self.values.len()).map(|index| self.values[place(index)]).collect();
        Matrix { rows: self.columns, columns: self.rows, values }
    }
}

fn add(values: &mut [f32], delta: &[f32], factor: f32) -> Result<(), String> {
    if values.len() != delta.len() {
        return Err(format!("a patch has {} numbers, it has {}", delta.len(), values.len()));
    }
    values.iter_mut().zip(delta).for_each(|(value, delta)| *value += factor * delta);
    Ok(())
}

/// Computes rows on all threads.
fn by_rows(rows: usize, row: usize, pool: &Pool, compute: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let mut values = vec![0.0; rows * row];
    let sink = Sink::new(&mut values);
    pool.for_each(rows, &|at| {
        let mut out = vec![0.0; row];
        compute(at, &mut out);
        let to = sink.part(at * row, row);
        out.iter().enumerate().for_each(|(index, &value)| to.set(index, value));
    });
    values
}

fn product(a: &Matrix, b: &Matrix, pool: &Pool) -> Result<Matrix, String> {
    if a.columns != b.rows {
        return Err(format!("its patch multiplies {} columns with {} rows", a.columns, b.rows));
    }
    let values = by_rows(a.rows, b.columns, pool, |row, out| {
        for (factor, from) in a.values[row * a.columns..][..a.columns].iter().zip(b.values.chunks(b.columns))
        {
            out.iter_mut().zip(from).for_each(|(out, from)| *out += factor * from);
        }
    });
    Ok(Matrix { rows: a.rows, columns: b.columns, values })
}

/// `sum over i, j of up[o, i] * mid[i, j, taps] * down[j, c]`, as `[o, c, taps]`.
fn tucker(up: &Matrix, shape: &[usize], mid: &[f32], down: &Matrix, pool: &Pool) -> Result<Vec<f32>, String> {
    let &[first, second, ..] = shape else { return Err("the middle of its patch is no kernel".to_owned()) };
    let taps: usize = shape.iter().skip(2).product();
    if first != up.columns || second != down.rows {
        return Err("the middle of its patch does not fit its ends".to_owned());
    }
    let mid = Matrix { rows: first, columns: second * taps, values: mid.to_vec() };
    let outer = product(up, &mid, pool)?;
    let row = down.columns * taps;
    Ok(by_rows(up.rows, row, pool, |at, out| {
        let from = &outer.values[at * second * taps..][..second * taps];
        for (j, from) in from.chunks(taps.max(1)).enumerate() {
            for (c, to) in out.chunks_mut(taps.max(1)).enumerate() {
                let factor = down.values[j * down.columns + c];
                to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
            }
        }
    }))
}
