//! JPEG as libjpeg decodes it, to the bit, because ComfyUI reads pictures through it.
//!
//! The standard leaves the inverse DCT, the up-sampling of colour and the conversion to RGB to the
//! decoder, and other decoders differ by a few levels. Sources: ITU-T T.81 (1992); C. Loeffler,
//! A. Ligtenberg and G. Moschytz, "Practical Fast 1-D DCT Algorithms with 11 Multiplications" (1989),
//! in fixed point with 13 bits; triangular up-sampling (3/4 and 1/4); JFIF's conversion in fixed point with
//! 16 bits. Huffman-coded 8-bit files with one or three components are read, sequential or progressive;
//! for others the answer is [`JpegError::Unsupported`] and the caller decodes them otherwise.

use thiserror::Error;

/// Scans of a file; progressive encoders make about ten.
const MAX_SCANS: usize = 256;
/// Bits that the first step of Huffman decoding looks at.
const LOOKUP: u32 = 9;

/// A JPEG that is not decoded here.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum JpegError {
    /// Arithmetic coding, 12 bits, CMYK, lossless, or an unusual sampling of colour.
    #[error("a kind of JPEG that is not supported")]
    Unsupported,
    /// The file ends early.
    #[error("the JPEG is truncated")]
    Truncated,
    /// The file contradicts itself.
    #[error("the JPEG is corrupt: {0}")]
    Corrupt(&'static str),
}

/// A decoded picture: 8-bit RGB, rows of interleaved values.
pub(crate) struct Rgb {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) data: Vec<u8>,
}

/// Position of the k-th coefficient in a block, rows of 8.
#[rustfmt::skip]
const ZIGZAG: [u8; 64] = [
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

type Block = [i16; 64];

struct Component {
    id: u8,
    h: usize,
    v: usize,
    quant_index: usize,
    /// The table in force when the component was first coded.
    quant: Option<[u16; 64]>,
    /// Size in samples and in blocks, without and with what fills the last units up.
    width: usize,
    height: usize,
    blocks: (usize, usize),
    stride: usize,
    coefficients: Vec<Block>,
}

struct Frame {
    progressive: bool,
    width: usize,
    height: usize,
    h: usize,
    v: usize,
    components: Vec<Component>,
}

#[derive(Clone)]
struct Huffman {
    /// Length and symbol by the first bits; length 0 for longer codes.
    lookup: Vec<(u8, u8)>,
    /// By length: the first code beyond, and what to add to a code to find its symbol.
    codes: [(i32, i32); 17],
    symbols: Vec<u8>,
}

impl Huffman {
    fn new(counts: &[u8], symbols: &[u8]) -> Result<Huffman, JpegError> {
        let mut table =
            Huffman { lookup: vec![(0, 0); 1 << LOOKUP], codes: [(0, 0); 17], symbols: symbols.to_vec() };
        let (mut code, mut index) = (0i32, 0i32);
        for (length, &count) in (1u32..).zip(counts) {
            let first = code;
            for _ in 0..count {
                if code >= 1 << length {
                    return Err(JpegError::Corrupt("a Huffman table has too many codes"));
                }
                if length <= LOOKUP {
                    let begin = (code << (LOOKUP - length)) as usize;
                    let entry = (length as u8, symbols[index as usize]);
                    table.lookup[begin..begin + (1 << (LOOKUP - length))].fill(entry);
                }
                code += 1;
                index += 1;
            }
            table.codes[length as usize] = (code, index - i32::from(count) - first);
            code <<= 1;
        }
        Ok(table)
    }
}

/// Reads bits of entropy-coded data up to the next marker.
struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    bits: u64,
    count: u32,
}

impl Bits<'_> {
    fn fill(&mut self) {
        while self.count <= 48 {
            let Some(&byte) = self.data.get(self.at) else { return };
            if byte == 0xff {
                if self.data.get(self.at + 1) != Some(&0) {
                    return;
                }
                self.at += 1;
            }
            self.at += 1;
            self.bits = self.bits << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    fn skip(&mut self, count: u32) -> Result<(), JpegError> {
        self.count = self.count.checked_sub(count).ok_or(JpegError::Truncated)?;
        Ok(())
    }

    fn take(&mut self, count: u32) -> Result<i32, JpegError> {
        if self.count < count {
            self.fill();
        }
        self.skip(count)?;
        Ok((self.bits >> self.count) as i32 & ((1 << count) - 1))
    }

    /// A signed number of `size` bits; the upper half of the range is positive.
    fn signed(&mut self, size: u32) -> Result<i32, JpegError> {
        let value = self.take(size)?;
        Ok(if size > 0 && value < 1 << (size - 1) { value - (1 << size) + 1 } else { value })
    }

    fn symbol(&mut self, table: &Huffman) -> Result<u32, JpegError> {
        if self.count < 16 {
            self.fill();
        }
        let next =
            if self.count >= 16 { self.bits >> (self.count - 16) } else { self.bits << (16 - self.count) };
        let next = next as u16;
        let (length, symbol) = table.lookup[usize::from(next >> (16 - LOOKUP))];
        if length > 0 {
            self.skip(u32::from(length))?;
            return Ok(u32::from(symbol));
        }
        for length in LOOKUP + 1..=16 {
            let code = i32::from(next >> (16 - length));
            let (end, offset) = table.codes[length as usize];
            if code < end {
                self.skip(length)?;
                let symbol = table.symbols.get((code + offset) as usize);
                return symbol.map(|&symbol| u32::from(symbol)).ok_or(JpegError::Corrupt("an unknown code"));
            }
        }
        Err(if self.count < 16 { JpegError::Truncated } else { JpegError::Corrupt("an unknown code") })
    }

    /// Goes past a restart marker.
    fn restart(&mut self) -> Result<(), JpegError> {
        (self.bits, self.count) = (0, 0);
        while self.data.get(self.at) == Some(&0xff) && self.data.get(self.at + 1) == Some(&0xff) {
            self.at += 1;
        }
        match (self.data.get(self.at), self.data.get(self.at + 1)) {
            (Some(0xff), Some(0xd0..=0xd7)) => self.at += 2,
            (_, None) => return Err(JpegError::Truncated),
            _ => return Err(JpegError::Corrupt("a restart marker is missing")),
        }
        Ok(())
    }
}

/// What a scan codes of each block.
#[derive(Clone, Copy)]
struct Band {
    progressive: bool,
    from: usize,
    to: usize,
    refine: bool,
    shift: u32,
}

/// Decodes a picture. Takes memory for the coefficients (2 bytes per sample) besides the result; the
/// caller has checked the size in the header.
///
/// # Errors
/// [`JpegError`].
pub(crate) fn decode(bytes: &[u8]) -> Result<Rgb, JpegError> {
    let mut quants: [Option<[u16; 64]>; 4] = [None; 4];
    let mut tables: [[Option<Huffman>; 4]; 2] = Default::default();
    let mut frame: Option<Frame> = None;
    let (mut interval, mut scans, mut jfif, mut adobe) = (0usize, 0, false, None);
    if !bytes.starts_with(&[0xff, 0xd8]) {
        return Err(JpegError::Corrupt("no start marker"));
    }
    let mut at = 2;
    loop {
        let (marker, after) = next_marker(bytes, at)?;
        at = after;
        match marker {
            0xd9 => break,
            0x01 | 0xd0..=0xd7 => continue,
            _ => {}
        }
        let length = bytes.get(at..at + 2).ok_or(JpegError::Truncated)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        if length < 2 {
            return Err(JpegError::Corrupt("a segment without length"));
        }
        let body = bytes.get(at + 2..at + length).ok_or(JpegError::Truncated)?;
        at += length;
        match marker {
            0xdb => read_quants(body, &mut quants)?,
            0xc4 => read_tables(body, &mut tables)?,
            0xc0..=0xc2 if frame.is_none() => frame = Some(read_frame(body, marker == 0xc2)?),
            0xc0..=0xcf => return Err(JpegError::Unsupported),
            0xdd => {
                interval = body.get(..2).map_or(0, |two| usize::from(u16::from_be_bytes([two[0], two[1]])))
            }
            0xe0 if body.starts_with(b"JFIF\0") => jfif = true,
            0xee if body.starts_with(b"Adobe") => adobe = body.get(11).copied(),
            0xda => {
                scans += 1;
                if scans > MAX_SCANS {
                    return Err(JpegError::Corrupt("too many scans"));
                }
                let frame = frame.as_mut().ok_or(JpegError::Corrupt("a scan without frame"))?;
                at = read_scan(bytes, at, body, frame, &quants, &tables, interval)?;
            }
            _ => {}
        }
    }
    let frame = frame.ok_or(JpegError::Corrupt("no frame"))?;
    let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
    let rgb = ids.len() == 3 && !jfif && adobe.map_or(ids == *b"RGB", |transform| transform == 0);
    assemble(frame, rgb)
}

/// The next marker and where its segment begins.
fn next_marker(bytes: &[u8], mut at: usize) -> Result<(u8, usize), JpegError> {
    loop {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(0xff), Some(0xff)) => at += 1,
            (Some(0xff), Some(&marker)) if marker != 0 => return Ok((marker, at + 2)),
            (Some(_), Some(_)) => at += 1,
            _ => return Err(JpegError::Truncated),
        }
    }
}

fn read_quants(mut body: &[u8], quants: &mut [Option<[u16; 64]>; 4]) -> Result<(), JpegError> {
    while let Some((&head, rest)) = body.split_first() {
        let wide = head >> 4 != 0;
        let size = if wide { 128 } else { 64 };
        let values = rest.get(..size).ok_or(JpegError::Truncated)?;
        let mut table = [0; 64];
        for (k, &position) in ZIGZAG.iter().enumerate() {
            table[usize::from(position)] = if wide {
                u16::from_be_bytes([values[2 * k], values[2 * k + 1]])
            } else {
                u16::from(values[k])
            };
        }
        let slot = quants.get_mut(usize::from(head & 15)).ok_or(JpegError::Corrupt("a table's number"))?;
        *slot = Some(table);
        body = &rest[size..];
    }
    Ok(())
}

fn read_tables(mut body: &[u8], tables: &mut [[Option<Huffman>; 4]; 2]) -> Result<(), JpegError> {
    while let Some((&head, rest)) = body.split_first() {
        let counts = rest.get(..16).ok_or(JpegError::Truncated)?;
        let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
        let symbols = rest.get(16..16 + total).ok_or(JpegError::Truncated)?;
        let kind = tables.get_mut(usize::from(head >> 4)).ok_or(JpegError::Corrupt("a table's class"))?;
        let slot = kind.get_mut(usize::from(head & 15)).ok_or(JpegError::Corrupt("a table's number"))?;
        *slot = Some(Huffman::new(counts, symbols)?);
        body = &rest[16 + total..];
    }
    Ok(())
}

fn read_frame(body: &[u8], progressive: bool) -> Result<Frame, JpegError> {
    let &[precision, h1, h0, w1, w0, count, ref rest @ ..] = body else { return Err(JpegError::Truncated) };
    let (width, height) =
        (usize::from(u16::from_be_bytes([w1, w0])), usize::from(u16::from_be_bytes([h1, h0])));
    if precision != 8 || !matches!(count, 1 | 3) || width == 0 || height == 0 {
        return Err(JpegError::Unsupported);
    }
    let parts = rest.get(..3 * usize::from(count)).ok_or(JpegError::Truncated)?.as_chunks::<3>().0;
    let sampling = |part: &[u8; 3]| (usize::from(part[1] >> 4), usize::from(part[1] & 15));
    if parts.iter().map(sampling).any(|(h, v)| !(1..=4).contains(&h) || !(1..=4).contains(&v)) {
        return Err(JpegError::Corrupt("a sampling factor"));
    }
    let max_h = parts.iter().map(|part| sampling(part).0).max().unwrap_or(1);
    let max_v = parts.iter().map(|part| sampling(part).1).max().unwrap_or(1);
    let units = (width.div_ceil(8 * max_h), height.div_ceil(8 * max_v));
    let component = |part: &[u8; 3]| {
        let (h, v) = sampling(part);
        if max_h % h != 0 || max_v % v != 0 || part[2] > 3 {
            return Err(JpegError::Unsupported);
        }
        let (own_width, own_height) = ((width * h).div_ceil(max_h), (height * v).div_ceil(max_v));
        let stride = units.0 * h;
        Ok(Component {
            id: part[0],
            h,
            v,
            quant_index: usize::from(part[2]),
            quant: None,
            width: own_width,
            height: own_height,
            blocks: (own_width.div_ceil(8), own_height.div_ceil(8)),
            stride,
            coefficients: vec![[0; 64]; stride * units.1 * v],
        })
    };
    let components = parts.iter().map(component).collect::<Result<_, _>>()?;
    Ok(Frame { progressive, width, height, h: max_h, v: max_v, components })
}

/// Decodes one scan; returns where its data ends.
fn read_scan(
    bytes: &[u8],
    at: usize,
    body: &[u8],
    frame: &mut Frame,
    quants: &[Option<[u16; 64]>; 4],
    tables: &[[Option<Huffman>; 4]; 2],
    interval: usize,
) -> Result<usize, JpegError> {
    let (&count, rest) = body.split_first().ok_or(JpegError::Truncated)?;
    let count = usize::from(count);
    let parts = rest.get(..2 * count).ok_or(JpegError::Truncated)?.as_chunks::<2>().0;
    let &[from, to, approximation] = rest.get(2 * count..2 * count + 3).ok_or(JpegError::Truncated)? else {
        return Err(JpegError::Truncated);
    };
    let band = if frame.progressive {
        let band = Band {
            progressive: true,
            from: usize::from(from),
            to: usize::from(to),
            refine: approximation >> 4 != 0,
            shift: u32::from(approximation & 15),
        };
        let sound = band.to < 64
            && band.shift <= 13
            && if band.from == 0 { band.to == 0 } else { band.from <= band.to && count == 1 };
        if !sound {
            return Err(JpegError::Corrupt("a progressive scan"));
        }
        band
    } else {
        Band { progressive: false, from: 0, to: 63, refine: false, shift: 0 }
    };
    // Component, DC table, AC table.
    let mut members: Vec<(usize, Option<&Huffman>, Option<&Huffman>)> = Vec::new();
    for &[id, which] in parts {
        let index = frame.components.iter().position(|component| component.id == id);
        let index = index.ok_or(JpegError::Corrupt("a scan of no component"))?;
        if members.iter().any(|(known, ..)| *known == index) {
            return Err(JpegError::Corrupt("a scan names a component twice"));
        }
        let table = |kind: usize, which: u8| tables[kind].get(usize::from(which)).and_then(Option::as_ref);
        members.push((index, table(0, which >> 4), table(1, which & 15)));
        let component = &mut frame.components[index];
        component.quant = component.quant.or_else(|| quants[component.quant_index]);
    }
    if members.is_empty() {
        return Err(JpegError::Corrupt("an empty scan"));
    }
    let mut reader = Bits { data: bytes, at, bits: 0, count: 0 };
    let mut predictions = [0i32; 4];
    let mut end_run = 0u32;
    // A scan of one component goes by its blocks, others by units of all.
    let alone = members.len() == 1;
    let (columns, rows) = if alone {
        frame.components[members[0].0].blocks
    } else {
        (frame.width.div_ceil(8 * frame.h), frame.height.div_ceil(8 * frame.v))
    };
    for unit in 0..columns * rows {
        if interval > 0 && unit > 0 && unit % interval == 0 {
            reader.restart()?;
            (predictions, end_run) = ([0; 4], 0);
        }
        let (x, y) = (unit % columns, unit / columns);
        for (slot, &(index, dc, ac)) in members.iter().enumerate() {
            let component = &mut frame.components[index];
            let (h, v) = if alone { (1, 1) } else { (component.h, component.v) };
            for inner in 0..h * v {
                let position = (y * v + inner / h) * component.stride + x * h + inner % h;
                let block = &mut component.coefficients[position];
                read_block(&mut reader, block, band, dc, ac, &mut predictions[slot % 4], &mut end_run)?;
            }
        }
    }
    Ok(reader.at)
}

fn read_block(
    reader: &mut Bits<'_>,
    block: &mut Block,
    band: Band,
    dc: Option<&Huffman>,
    ac: Option<&Huffman>,
    prediction: &mut i32,
    end_run: &mut u32,
) -> Result<(), JpegError> {
    let missing = JpegError::Corrupt("a Huffman table is missing");
    let Band { progressive, from, to, refine, shift } = band;
    if from == 0 {
        if refine {
            block[0] |= (reader.take(1)? << shift) as i16;
        } else {
            let size = reader.symbol(dc.ok_or(missing)?)?;
            if size > 15 {
                return Err(JpegError::Corrupt("a coefficient's size"));
            }
            *prediction = prediction.wrapping_add(reader.signed(size)?);
            block[0] = prediction.wrapping_shl(shift) as i16;
        }
        if progressive {
            return Ok(());
        }
    }
    let ac = ac.ok_or(missing)?;
    if refine {
        return refine_block(reader, block, band, ac, end_run);
    }
    if *end_run > 0 {
        *end_run -= 1;
        return Ok(());
    }
    let mut k = from.max(1);
    while k <= to {
        let symbol = reader.symbol(ac)?;
        let (run, size) = (symbol >> 4, symbol & 15);
        if size == 0 {
            if run == 15 {
                k += 16;
                continue;
            }
            if progressive {
                *end_run = (1 << run) - 1 + reader.take(run)? as u32;
            }
            return Ok(());
        }
        k += run as usize;
        let value = reader.signed(size)?;
        let position = ZIGZAG.get(k).ok_or(JpegError::Corrupt("a block is too long"))?;
        block[usize::from(*position)] = (value << shift) as i16;
        k += 1;
    }
    Ok(())
}

/// Adds one bit to the coefficients known so far, and new ones of that size (T.81, G.1.2.3).
fn refine_block(
    reader: &mut Bits<'_>,
    block: &mut Block,
    band: Band,
    ac: &Huffman,
    end_run: &mut u32,
) -> Result<(), JpegError> {
    let bit = 1i16 << band.shift;
    let correct = |reader: &mut Bits<'_>, value: &mut i16| -> Result<(), JpegError> {
        if reader.take(1)? == 1 && *value & bit == 0 {
            *value = if *value >= 0 { value.wrapping_add(bit) } else { value.wrapping_sub(bit) };
        }
        Ok(())
    };
    let mut k = band.from;
    if *end_run == 0 {
        while k <= band.to {
            let symbol = reader.symbol(ac)?;
            let (mut run, size) = (symbol >> 4, symbol & 15);
            let mut new = 0;
            if size == 0 {
                if run < 15 {
                    *end_run = (1 << run) + reader.take(run)? as u32;
                    break;
                }
            } else {
                new = if reader.take(1)? == 1 { bit } else { -bit };
            }
            // Zeros count down to the new value's place; what is known on the way is corrected.
            while k <= band.to {
                let value = &mut block[usize::from(ZIGZAG[k])];
                k += 1;
                if *value != 0 {
                    correct(reader, value)?;
                } else if run == 0 {
                    *value = new;
                    break;
                } else {
                    run -= 1;
                }
            }
        }
    }
    if *end_run > 0 {
        for &position in ZIGZAG.get(k..=band.to).unwrap_or(&[]) {
            let value = &mut block[usize::from(position)];
            if *value != 0 {
                correct(reader, value)?;
            }
        }
        *end_run -= 1;
    }
    Ok(())
}

/// Samples of a component in rows of whole blocks.
struct Plane {
    data: Vec<u8>,
    stride: usize,
    width: usize,
    height: usize,
}

impl Plane {
    fn row(&self, y: usize) -> &[u8] {
        &self.data[y * self.stride..y * self.stride + self.width]
    }
}

fn plane(component: &mut Component) -> Result<Plane, JpegError> {
    let quant = component.quant.ok_or(JpegError::Corrupt("a component is missing"))?;
    let stride = component.stride * 8;
    let coefficients = std::mem::take(&mut component.coefficients);
    let mut data = vec![0u8; coefficients.len() * 64];
    for (index, block) in coefficients.iter().enumerate() {
        let samples = inverse_dct(block, &quant);
        let begin = index / component.stride * 8 * stride + index % component.stride * 8;
        for (y, row) in samples.as_chunks::<8>().0.iter().enumerate() {
            data[begin + y * stride..begin + y * stride + 8].copy_from_slice(row);
        }
    }
    Ok(Plane { data, stride, width: component.width, height: component.height })
}

/// Multiplies by the quantisation table and transforms back, columns first.
fn inverse_dct(block: &Block, quant: &[u16; 64]) -> [u8; 64] {
    let mut work = [0i32; 64];
    for x in 0..8 {
        let value = |y: usize| i32::from(block[y * 8 + x]).wrapping_mul(i32::from(quant[y * 8 + x]));
        let column = dct_1d(std::array::from_fn(value));
        (0..8).for_each(|y| work[y * 8 + x] = column[y].wrapping_add(1 << 10) >> 11);
    }
    let mut out = [0; 64];
    for (row, out) in work.as_chunks::<8>().0.iter().zip(out.as_chunks_mut::<8>().0) {
        let row = dct_1d(*row);
        *out = row.map(|value| ((value.wrapping_add(1 << 17) >> 18).saturating_add(128)).clamp(0, 255) as u8);
    }
    out
}

/// One dimension of the inverse DCT, scaled by 2^13 times the square root of 8. Corrupt files may overflow: that wraps.
fn dct_1d(v: [i32; 8]) -> [i32; 8] {
    let times = |value: i32, factor: i32| value.wrapping_mul(factor);
    let sum = |values: &[i32]| values.iter().fold(0i32, |sum, &value| sum.wrapping_add(value));
    // Even part: a rotation by 6/16 pi of inputs 2 and 6.
    let z = times(sum(&[v[2], v[6]]), 4433);
    let (low, high) = (sum(&[z, times(v[6], -15137)]), sum(&[z, times(v[2], 6270)]));
    let (a, b) = (times(sum(&[v[0], v[4]]), 1 << 13), times(v[0].wrapping_sub(v[4]), 1 << 13));
    let even = [sum(&[a, high]), sum(&[b, low]), b.wrapping_sub(low), a.wrapping_sub(high)];
    // Odd part.
    let (z1, z2) = (times(sum(&[v[7], v[1]]), -7373), times(sum(&[v[5], v[3]]), -20995));
    let (z3, z4) = (sum(&[v[7], v[3]]), sum(&[v[5], v[1]]));
    let z5 = times(sum(&[z3, z4]), 9633);
    let (z3, z4) = (sum(&[times(z3, -16069), z5]), sum(&[times(z4, -3196), z5]));
    let odd = [
        sum(&[times(v[1], 12299), z1, z4]),
        sum(&[times(v[3], 25172), z2, z3]),
        sum(&[times(v[5], 16819), z2, z4]),
        sum(&[times(v[7], 2446), z1, z3]),
    ];
    std::array::from_fn(|i| {
        if i < 4 { even[i].wrapping_add(odd[i]) } else { even[7 - i].wrapping_sub(odd[7 - i]) }
    })
}

/// One row of a component at the picture's resolution.
fn upsampled_row(plane: &Plane, y: usize, h: usize, v: usize, out: &mut Vec<u8>) {
    out.clear();
    // Narrow components are repeated, not interpolated.
    let smooth = plane.width > 2;
    let near = plane.row(y / v);
    // The other row that a vertically interpolated row is made of.
    let other =
        if y.is_multiple_of(v) { (y / v).saturating_sub(1) } else { (y / v + 1).min(plane.height - 1) };
    let other = plane.row(other);
    let last = near.len() - 1;
    match (h, v) {
        (1, 1) => out.extend_from_slice(near),
        (2, 1) if smooth => {
            for (x, &value) in near.iter().enumerate() {
                let value3 = u16::from(value) * 3;
                let left = if x == 0 { value } else { ((value3 + u16::from(near[x - 1]) + 1) >> 2) as u8 };
                let right =
                    if x == last { value } else { ((value3 + u16::from(near[x + 1]) + 2) >> 2) as u8 };
                out.extend([left, right]);
            }
        }
        (1, 2) => {
            let bias = if y.is_multiple_of(2) { 1 } else { 2 };
            let mix =
                |(&near, &other): (&u8, &u8)| ((u16::from(near) * 3 + u16::from(other) + bias) >> 2) as u8;
            out.extend(near.iter().zip(other).map(mix));
        }
        (2, 2) if smooth => {
            let column = |x: usize| u16::from(near[x]) * 3 + u16::from(other[x]);
            for x in 0..near.len() {
                let this = column(x);
                let before = if x == 0 { this } else { column(x - 1) };
                let after = if x == last { this } else { column(x + 1) };
                out.extend([((this * 3 + before + 8) >> 4) as u8, ((this * 3 + after + 7) >> 4) as u8]);
            }
        }
        _ => near.iter().for_each(|&value| out.extend(std::iter::repeat_n(value, h))),
    }
}

fn assemble(mut frame: Frame, rgb: bool) -> Result<Rgb, JpegError> {
    let planes = frame.components.iter_mut().map(plane).collect::<Result<Vec<_>, _>>()?;
    let (width, height) = (frame.width, frame.height);
    let mut data = Vec::with_capacity(width * height * 3);
    let mut rows: Vec<Vec<u8>> = vec![Vec::new(); planes.len()];
    for y in 0..height {
        for ((plane, component), row) in planes.iter().zip(&frame.components).zip(&mut rows) {
            upsampled_row(plane, y, frame.h / component.h, frame.v / component.v, row);
        }
        match rows.as_slice() {
            [grey] => grey[..width].iter().for_each(|&value| data.extend([value; 3])),
            [r, g, b] if rgb => (0..width).for_each(|x| data.extend([r[x], g[x], b[x]])),
            [luma, blue, red] => (0..width).for_each(|x| data.extend(to_rgb(luma[x], blue[x], red[x]))),
            _ => return Err(JpegError::Unsupported),
        }
    }
    Ok(Rgb { width, height, data })
}

/// JFIF's conversion: factors 1.402, 0.34414, 0.71414 and 1.772 with 16 bits after the point.
fn to_rgb(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(luma), i32::from(blue) - 128, i32::from(red) - 128);
    let r = y + ((91881 * cr + HALF) >> 16);
    let g = y + ((-22554 * cb - 46802 * cr + HALF) >> 16);
    let b = y + ((116_130 * cb + HALF) >> 16);
    [r, g, b].map(|value| value.clamp(0, 255) as u8)
}
