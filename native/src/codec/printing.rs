//! From wire bytes straight to JSON text: the values of fields - scalars, arrays, messages.
//!
//! Owns what each kind looks like, and that a repeated field without elements is not there (or `[]`, where defaults are printed).

use base64::engine::Engine;
use base64::engine::general_purpose::STANDARD;

use super::fields::{Occurrence, check_value, is_unknown, whole};
use super::floats::{put_double, put_float};
use super::printer::{Enums, Fail, Print, Printer};
use super::schema::{Field, Kind};
use super::selection::Tree;
use super::text::put_string;
use super::values::wire_type;
use super::wire::{I32, I64, TOO_DEEP, read_i32, read_i64, read_varint, unzigzag};

impl Printer<'_> {
    /// Whether a singular scalar without presence has its default.
    #[inline]
    pub fn is_default(&self, run: (usize, usize)) -> bool {
        let occurrence = self.found[run.1 - 1];
        if occurrence.span { occurrence.range().is_empty() } else { occurrence.bits == 0 }
    }

    /// A field's value from its occurrences; false when there is nothing to print. With `whole`, an empty list or map is a value too.
    pub fn value(
        &mut self,
        field: &Field,
        bytes: &[u8],
        run: (usize, usize),
        nesting: u32,
        tree: Option<&Tree>,
        whole: bool,
    ) -> Print<bool> {
        if field.map {
            return self.map(field, bytes, run, nesting, tree, whole);
        }
        if field.repeated {
            return self.array(field, bytes, run, nesting, tree, whole);
        }
        match (field.message, run.1 - run.0) {
            (Some(of), count) => {
                let (of, nesting) = (self.schema.get(of), nesting.checked_sub(1).ok_or(TOO_DEEP));
                match count {
                    0 => self.message(of, &[], nesting.unwrap_or(0), tree)?,
                    1 => {
                        let range = self.found[run.0].range();
                        self.message(of, &bytes[range], nesting?, tree)?;
                    }
                    _ => {
                        let merged = self.merged(field, bytes, run, nesting? + 1)?;
                        let sound = std::mem::replace(&mut self.sound, true);
                        self.message(of, &merged, nesting?, tree)?;
                        self.sound = sound;
                    }
                }
            }
            (None, 0) => self.absent(field)?,
            (None, _) => self.scalar(field, bytes, self.found[run.1 - 1])?,
        }
        Ok(true)
    }

    /// The messages that came in parts, as one: parts after each other are their merge.
    pub fn merged(&mut self, field: &Field, bytes: &[u8], run: (usize, usize), nesting: u32) -> Print<Vec<u8>> {
        let mut merged = Vec::new();
        for &part in &self.found[run.0..run.1] {
            // What is within parts that were checked was checked with them; again at each level would be too often.
            if !self.sound {
                check_value(self.schema, field, bytes, part, nesting)?;
            }
            let left = self.merging.checked_sub(part.range().len());
            self.merging =
                left.ok_or_else(|| Box::new(Fail::Unprintable("its messages are in too many parts".into())))?;
            merged.extend_from_slice(&bytes[part.range()]);
        }
        Ok(merged)
    }

    fn array(
        &mut self,
        field: &Field,
        bytes: &[u8],
        run: (usize, usize),
        nesting: u32,
        tree: Option<&Tree>,
        whole: bool,
    ) -> Print<bool> {
        self.begin(b'[')?;
        let mut first = true;
        for place in run.0..run.1 {
            let occurrence = self.found[place];
            self.bounded()?;
            if let Some(of) = field.message {
                self.separate(&mut first);
                let nesting = nesting.checked_sub(1).ok_or(TOO_DEEP)?;
                self.message(self.schema.get(of), &bytes[occurrence.range()], nesting, tree)?;
            } else if occurrence.span && !matches!(field.kind, Kind::String | Kind::Bytes) {
                self.packed(field, &bytes[occurrence.range()], &mut first)?;
            } else {
                self.separate(&mut first);
                self.scalar(field, bytes, occurrence)?;
            }
        }
        self.end(b']', first);
        Ok(whole || !first)
    }

    fn packed(&mut self, field: &Field, values: &[u8], first: &mut bool) -> Print<()> {
        let mut at = 0;
        while at < values.len() {
            let bits = match wire_type(field.kind) {
                I32 => read_i32(values, &mut at)?.into(),
                I64 => read_i64(values, &mut at)?,
                _ => whole(field.kind, read_varint(values, &mut at)?),
            };
            if field.enum_type.as_ref().is_some_and(|of| is_unknown(of, bits)) {
                continue;
            }
            self.separate(first);
            self.number(field, bits)?;
        }
        Ok(())
    }

    /// The value of a scalar that is not there.
    pub fn absent(&mut self, field: &Field) -> Print<()> {
        match field.kind {
            Kind::String | Kind::Bytes => {
                self.out.extend_from_slice(b"\"\"");
                Ok(())
            }
            Kind::Enum => self.number(field, field.default_number as i64 as u64),
            _ => self.number(field, 0),
        }
    }

    #[inline]
    pub fn scalar(&mut self, field: &Field, bytes: &[u8], occurrence: Occurrence) -> Print<()> {
        match field.kind {
            Kind::String => self.text(&bytes[occurrence.range()], field.utf8),
            Kind::Bytes => {
                self.base64(&bytes[occurrence.range()]);
                Ok(())
            }
            _ => self.number(field, occurrence.bits),
        }
    }

    pub fn base64(&mut self, bytes: &[u8]) {
        self.out.push(b'"');
        let start = self.out.len();
        self.out.resize(start + bytes.len().div_ceil(3) * 4, 0);
        // The slice is as long as the text: it cannot fail.
        let written = STANDARD.encode_slice(bytes, &mut self.out[start..]).unwrap_or(0);
        self.out.truncate(start + written);
        self.out.push(b'"');
    }

    /// A string. Where protobuf does not check that it is UTF-8, JSON has to.
    #[inline]
    pub fn text(&mut self, text: &[u8], checked: bool) -> Print<()> {
        if std::str::from_utf8(text).is_err() {
            if checked {
                return Err(Box::new(Fail::Malformed("a string is not UTF-8")));
            }
            if self.muted == 0 {
                return Err(Box::new(Fail::Unprintable("a string is not UTF-8".into())));
            }
            return Ok(());
        }
        put_string(&mut self.out, text);
        Ok(())
    }

    /// A number, boolean or enum by its bits.
    #[inline]
    pub fn number(&mut self, field: &Field, bits: u64) -> Print<()> {
        match field.kind {
            Kind::Bool => self.out.extend_from_slice(if bits == 0 { b"false" } else { b"true" }),
            Kind::Int32 => self.integer(bits as i32),
            Kind::SInt32 => self.integer(unzigzag(bits & 0xFFFF_FFFF) as i32),
            Kind::SFixed32 => self.integer(bits as u32 as i32),
            Kind::UInt32 | Kind::Fixed32 => self.integer(bits as u32),
            Kind::Int64 | Kind::SFixed64 => self.long(bits as i64),
            Kind::SInt64 => self.long(unzigzag(bits)),
            Kind::UInt64 | Kind::Fixed64 => self.long(bits),
            Kind::Double => put_double(&mut self.out, f64::from_bits(bits)),
            Kind::Float => put_float(&mut self.out, f32::from_bits(bits as u32)),
            _ => self.enumerated(field, bits as i32),
        }
        Ok(())
    }

    #[inline]
    fn integer(&mut self, value: impl itoa::Integer) {
        self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    #[inline]
    fn long(&mut self, value: impl itoa::Integer) {
        if self.style.int64_numbers {
            return self.integer(value);
        }
        self.out.push(b'"');
        self.integer(value);
        self.out.push(b'"');
    }

    fn enumerated(&mut self, field: &Field, number: i32) {
        let Some(of) = &field.enum_type else {
            return self.integer(number);
        };
        if of.null {
            self.out.extend_from_slice(b"null");
            return;
        }
        let names = if self.style.enums == Enums::Numbers { None } else { of.name(number) };
        let Some((_, name, short)) = names else {
            return self.integer(number);
        };
        put_string(&mut self.out, if self.style.enums == Enums::Short { short } else { name }.as_bytes());
    }
}
