//! Lists of buffers as tables, to try the offset solver on: CSV as MiniMalloc reads and writes it, with the columns
//! `id`, `lower`, `upper` (the first step after the buffer's life) and `size`, and `offset` where it is known.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim, WriterBuilder};
use floe_nets::offsets::{Goal, Item, Packing, check, pack_within};

use crate::error::DriverError;
use crate::source::{read_table, shown_name};

/// Buffers of a table, and the table itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buffers {
    /// The buffers, in the order of the table.
    pub items: Vec<Item>,
    /// What messages call the table.
    name: String,
    /// Headings and rows without offsets.
    rows: Vec<StringRecord>,
}

/// The columns that a table must have.
const COLUMNS: [&str; 4] = ["id", "lower", "upper", "size"];

/// The column that the solver fills.
const OFFSET: &str = "offset";

impl Buffers {
    /// Reads a table; `-` is standard input. Offsets in it are passed over.
    ///
    /// # Errors
    /// If the file cannot be read, is larger than `limit` bytes or no text, or is not such a table.
    pub fn read(path: &Path, limit: u64) -> Result<Buffers, DriverError> {
        Buffers::parse(&shown_name(path), &read_table(path, limit)?)
    }

    /// Reads a table from text; `name` is what messages call it.
    ///
    /// # Errors
    /// If it is not such a table.
    pub fn parse(name: &str, text: &str) -> Result<Buffers, DriverError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(text.as_bytes());
        let mut records = reader.records().map(|record| record.map_err(|error| unreadable(name, &error)));
        let heading = records.next().unwrap_or_else(|| Ok(StringRecord::new()))?;
        let columns = Columns::of(name, &heading)?;
        let mut buffers =
            Buffers { items: Vec::new(), name: name.to_owned(), rows: vec![columns.kept(&heading)] };
        for record in records {
            let record = record?;
            let row = Row { name, columns: &columns, record: &record };
            buffers.items.push(row.item()?);
            buffers.rows.push(columns.kept(&record));
        }
        Ok(buffers)
    }

    /// Packs them at multiples of `alignment`, until the goal is reached or its work is done.
    ///
    /// # Errors
    /// If no number counts the bytes that they need.
    ///
    /// # Panics
    /// If the packing is not sound, which is a bug of the solver.
    pub fn pack(&self, alignment: usize, goal: Goal) -> Result<Packing, DriverError> {
        let packing = pack_within(&self.items, alignment, goal);
        if packing.height == usize::MAX {
            return Err(DriverError::EndlessBuffers { path: self.name.clone() });
        }
        if let Err(fault) = check(&self.items, alignment, &packing) {
            panic!("the solver overlooked something: {fault}");
        }
        Ok(packing)
    }

    /// The table with the offsets of a packing in its last column.
    pub fn with_offsets(&self, packing: &Packing) -> String {
        let mut writer = WriterBuilder::new().from_writer(Vec::new());
        let offsets = packing.offsets.iter().map(usize::to_string);
        for (row, offset) in self.rows.iter().zip(std::iter::once(OFFSET.to_owned()).chain(offsets)) {
            let fields = row.iter().chain([offset.as_str()]);
            writer
                .write_record(fields)
                .expect("rows have as many fields as their heading, and memory takes all");
        }
        let bytes = writer.into_inner().expect("memory takes all");
        String::from_utf8(bytes).expect("texts with commas between them are text")
    }
}

/// Which field is what.
struct Columns {
    names: Vec<String>,
    /// Where `COLUMNS` are.
    places: [usize; 4],
    offset: Option<usize>,
}

impl Columns {
    fn of(name: &str, heading: &StringRecord) -> Result<Columns, DriverError> {
        let names: Vec<String> = heading.iter().map(str::to_owned).collect();
        let line = line(heading);
        let bad = |column: usize, reason: String| bad(name, line, &(column + 1).to_string(), reason);
        for (column, heading) in names.iter().enumerate() {
            if !COLUMNS.contains(&heading.as_str()) && heading != OFFSET {
                let known = "the columns are id, lower, upper, size and offset";
                return Err(bad(column, format!("`{heading}` is no column that is known; {known}")));
            }
            if names[..column].contains(heading) {
                return Err(bad(column, format!("a second column `{heading}`")));
            }
        }
        let place = |wanted: &str| names.iter().position(|heading| heading == wanted);
        let mut places = [0; 4];
        for (found, wanted) in places.iter_mut().zip(COLUMNS) {
            let missing = || bad(names.len(), format!("the first line names no column `{wanted}`"));
            *found = place(wanted).ok_or_else(missing)?;
        }
        let offset = place(OFFSET);
        Ok(Columns { names, places, offset })
    }

    /// A row without its offset.
    fn kept(&self, record: &StringRecord) -> StringRecord {
        let fields = record.iter().enumerate();
        fields.filter(|&(column, _)| Some(column) != self.offset).map(|(_, field)| field).collect()
    }
}

struct Row<'a> {
    name: &'a str,
    columns: &'a Columns,
    record: &'a StringRecord,
}

impl Row<'_> {
    fn item(&self) -> Result<Item, DriverError> {
        let (got, want) = (self.record.len(), self.columns.names.len());
        if got != want {
            let reason = format!("the line has {got} fields, the first line {want}");
            return Err(bad(
                self.name,
                line(self.record),
                &got.min(want).saturating_add(1).to_string(),
                reason,
            ));
        }
        let [_, lower, upper, size] = self.columns.places;
        let (first, end, bytes) = (self.number(lower)?, self.number(upper)?, self.number(size)?);
        if end <= first {
            return Err(
                self.bad(upper, format!("the buffer ends at {end}, before it lived: it begins at {first}"))
            );
        }
        Ok(Item { bytes, first, last: end - 1 })
    }

    fn number(&self, column: usize) -> Result<usize, DriverError> {
        let text = &self.record[column];
        let most = usize::MAX;
        text.parse().map_err(|_| self.bad(column, format!("`{text}` is no whole number from 0 to {most}")))
    }

    fn bad(&self, column: usize, reason: String) -> DriverError {
        let column = format!("{} (`{}`)", column + 1, self.columns.names[column]);
        bad(self.name, line(self.record), &column, reason)
    }
}

fn line(record: &StringRecord) -> u64 {
    record.position().map_or(1, csv::Position::line)
}

fn bad(path: &str, line: u64, column: &str, reason: String) -> DriverError {
    DriverError::BadBuffers { path: path.to_owned(), line, column: column.to_owned(), reason }
}

/// What the reader itself refuses; text that is UTF-8, with lines of any length, gives it no cause.
fn unreadable(name: &str, error: &csv::Error) -> DriverError {
    bad(name, error.position().map_or(1, csv::Position::line), "1", error.to_string())
}

#[cfg(test)]
mod tests {
    use floe_nets::offsets::pack;

    use super::*;

    const EXAMPLE: &str = "id,lower,upper,size\nb1,0,3,4\nb2,3,9,4\nb3,0,9,4\nb4,9,21,4\nb5,0,21,4\n";

    fn verdict(text: &str) -> String {
        match Buffers::parse("list.csv", text) {
            Ok(buffers) => format!("{} buffers", buffers.items.len()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_table_gets_its_offsets() {
        let buffers = Buffers::parse("list.csv", EXAMPLE).unwrap();
        let packing = pack(&buffers.items, 1);
        assert_eq!(check(&buffers.items, 1, &packing), Ok(()));
        assert_eq!(packing.height, 12);
        let text = buffers.with_offsets(&packing);
        insta::assert_snapshot!(text);
        let again = Buffers::parse("list.csv", &text).unwrap();
        assert_eq!(again, buffers, "offsets are passed over");
    }

    #[test]
    fn order_quotes_spaces_and_line_ends_of_a_table_are_free() {
        let text = "\u{feff}size, upper,id,lower\r\n4,3,\"b, \"\"1\"\"\",0\r\n\r\n8,5,b2,2";
        let buffers = Buffers::parse("list.csv", text).unwrap();
        let items = [Item { bytes: 4, first: 0, last: 2 }, Item { bytes: 8, first: 2, last: 4 }];
        assert_eq!(buffers.items, items);
        let packing = Packing { offsets: vec![8, 0], height: 12, lower_bound: 12 };
        assert_eq!(
            buffers.with_offsets(&packing),
            "size,upper,id,lower,offset\n4,3,\"b, \"\"1\"\"\",0,8\n8,5,b2,2,0\n"
        );
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let head = "id,lower,upper,size\n";
        let texts = [
            String::new(),
            "id,lower,size\nb1,0,4".to_owned(),
            "id,lower,upper,size,gaps\n".to_owned(),
            "id,lower,upper,size,id\n".to_owned(),
            format!("{head}b1,0,3,4\nb2,0,3\n"),
            format!("{head}b1,0,3,4,5\n"),
            format!("{head}b1,-1,3,4\n"),
            format!("{head}b1,0,3,4\nb2,0,3,4KiB\n"),
            format!("{head}b1,0,3,18446744073709551616\n"),
            format!("{head}b1,3,3,4\n"),
            format!("{head}\"b\n1\",0,3,4\nb2,0,3,\n"),
        ];
        let verdicts: Vec<String> =
            texts.iter().map(|text| format!("{text:?}\n    {}\n", verdict(text))).collect();
        insta::assert_snapshot!(verdicts.concat());
    }
}
