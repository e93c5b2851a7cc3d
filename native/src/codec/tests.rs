//! Any bytes at all, into every way in: no panic, and what was read and printed is read the same again.

use proptest::prelude::*;

use super::api::Api;
use super::load::{RawField, RawType, add};
use super::overlay::{Node, merge};
use super::parameters::Parameters;
use super::printer::{Enums, Printer, Style};
use super::reader::{Loader, ReadOptions, Reader};
use super::refusal::Source;
use super::schema::{Schema, TypeId};
use super::wire::MAX_NESTING;
use crate::fuzz::config;

struct Nothing;

impl Loader for Nothing {
    fn load(&self, _: &str) -> Result<Option<TypeId>, pyo3::PyErr> {
        Ok(None)
    }
}

const OPTIONS: ReadOptions = ReadOptions { max_depth: 20, ignore_unknown: true, lenient_bools: true };
const STYLE: Style = Style {
    proto_names: false,
    enums: Enums::Names,
    defaults: false,
    nulls: false,
    int64_numbers: false,
    pretty: false,
    max_bytes: usize::MAX,
};

const WELL_KNOWN: [(&str, &str); 7] = [
    ("value", "Value"),
    ("struct", "Struct"),
    ("items", "ListValue"),
    ("time", "Timestamp"),
    ("span", "Duration"),
    ("mask", "FieldMask"),
    ("wrapped", "Int64Value"),
];

/// A message with a field of each type (numbered as descriptor.proto numbers types), lists, maps, a oneof, itself, an Any and each
/// other well-known type.
pub fn schema() -> Schema {
    let field = |name: &str, number: u32, kind: u8, flags: u32, oneof: i32, message: &str| -> RawField {
        let enumerated = if kind == 14 { "E" } else { "" };
        (name.into(), name.into(), number, kind, flags, oneof, message.into(), enumerated.into(), 0, 0)
    };
    let mut fields: Vec<_> = (1..=18u8)
        .filter(|kind| !matches!(kind, 10 | 11))
        .map(|kind| field(&format!("f{kind}"), kind.into(), kind, if kind == 9 { 1 << 4 } else { 0 }, -1, ""))
        .collect();
    fields.push(field("list", 20, 5, 0b11, -1, ""));
    fields.push(field("texts", 21, 9, 1 | 1 << 4, -1, ""));
    fields.push(field("map", 22, 11, 1 | 1 << 8, -1, "Entry"));
    fields.push(field("one", 23, 9, 1 << 2 | 1 << 4, 0, ""));
    fields.push(field("other", 24, 11, 1 << 2, 0, "M"));
    fields.push(field("any", 25, 11, 1 << 2, -1, "google.protobuf.Any"));
    for (number, (name, of)) in (26..).zip(WELL_KNOWN) {
        fields.push(field(
            name,
            number,
            11,
            1 << 2 | if of == "Value" { 1 << 7 } else { 0 },
            -1,
            &format!("google.protobuf.{of}"),
        ));
    }
    fields.sort_by_key(|field| field.2);
    let keys = fields.iter().enumerate().map(|(index, field)| (field.0.clone(), index as u16, false)).collect();
    let entry = vec![field("key", 1, 17, 0, -1, ""), field("value", 2, 11, 1 << 2, -1, "M")];
    let any = vec![field("type_url", 1, 9, 1 << 4, -1, ""), field("value", 2, 12, 0, -1, "")];
    let schema = Schema::default();
    let enums = vec![
        ("E".into(), false, vec![("ONE".into(), 1)], vec![(1, "ONE".into(), "ONE".into())]),
        (
            "google.protobuf.NullValue".into(),
            false,
            vec![("NULL_VALUE".into(), 0)],
            vec![(0, "NULL_VALUE".into(), "NULL_VALUE".into())],
        ),
    ];
    let time = || vec![field("seconds", 1, 3, 0, -1, ""), field("nanos", 2, 5, 0, -1, "")];
    let mut null = field("null_value", 1, 14, 1 << 2, 0, "");
    null.7 = "google.protobuf.NullValue".into();
    let value = vec![
        null,
        field("number_value", 2, 1, 1 << 2, 0, ""),
        field("string_value", 3, 9, 1 << 2 | 1 << 4, 0, ""),
        field("bool_value", 4, 8, 1 << 2, 0, ""),
        field("struct_value", 5, 11, 1 << 2, 0, "google.protobuf.Struct"),
        field("list_value", 6, 11, 1 << 2, 0, "google.protobuf.ListValue"),
    ];
    let pairs = vec![field("key", 1, 9, 1 << 4, -1, ""), field("value", 2, 11, 1 << 2, -1, "google.protobuf.Value")];
    let well_known: [(&str, Vec<RawField>, Vec<String>); 7] = [
        ("google.protobuf.Timestamp", time(), Vec::new()),
        ("google.protobuf.Duration", time(), Vec::new()),
        ("google.protobuf.FieldMask", vec![field("paths", 1, 9, 1 | 1 << 4, -1, "")], Vec::new()),
        ("google.protobuf.Value", value, vec!["kind".into()]),
        ("google.protobuf.Struct", vec![field("fields", 1, 11, 1 | 1 << 8, -1, "Pair")], Vec::new()),
        ("google.protobuf.ListValue", vec![field("values", 1, 11, 1, -1, "google.protobuf.Value")], Vec::new()),
        ("google.protobuf.Int64Value", vec![field("value", 1, 3, 0, -1, "")], Vec::new()),
    ];
    let mut types = vec![
        ("x.M".into(), fields, keys, vec!["choice".into()], String::new(), false),
        ("Entry".into(), entry, Vec::new(), Vec::new(), String::new(), false),
        ("google.protobuf.Any".into(), any, Vec::new(), Vec::new(), String::new(), false),
        ("Pair".into(), pairs, Vec::new(), Vec::new(), String::new(), false),
    ];
    types.extend(
        well_known.map(|(name, fields, oneofs)| (name.into(), fields, Vec::new(), oneofs, String::new(), false)),
    );
    let renamed = types.into_iter().map(|mut raw: RawType| {
        for field in &mut raw.1 {
            if field.6 == "M" {
                field.6 = "x.M".into();
            }
        }
        raw
    });
    assert!(add(&schema, enums, renamed.collect()).is_ok());
    schema
}

pub fn read(schema: &Schema, text: &str) -> Option<Vec<u8>> {
    let of = schema.get(schema.find("x.M")?);
    let mut reader = Reader::new(text, schema, OPTIONS, &Nothing);
    reader.whole(|reader| reader.message(of, 1, None)).ok()?;
    Some(reader.out)
}

pub fn print(schema: &Schema, bytes: &[u8]) -> Option<String> {
    let of = schema.get(schema.find("x.M")?);
    let mut printer = Printer::new(schema, STYLE, &Nothing, 0);
    printer.message(of, bytes, MAX_NESTING, None).ok()?;
    assert_eq!((printer.levels, printer.muted, printer.found.len()), (0, 0, 0));
    Some(String::from_utf8(printer.out).expect("JSON is UTF-8"))
}

fn member() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        r"-?[0-9]{1,12}(\.[0-9]{1,3})?(e[0-9])?",
        r#""[a-zA-Z0-9é=]{0,6}""#,
        Just(r#"{"f5":1,"map":{"2":{},"01":{"one":"x"}}}"#.to_owned()),
        Just(r#"{"one":"a","f9":"\u00e9\n"}"#.to_owned()),
        Just(r#"{"f1":1,"@type":"t/x.M"}"#.to_owned()),
        Just("[1,-2,300]".to_owned()),
        Just(r#"["a",""]"#.to_owned()),
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just(r#""NaN""#.to_owned()),
        Just(r#"{"5":{},"-5":{"f3":"9"},"4":{}}"#.to_owned()),
        Just(r#"{"b":[1.5,null,{"c":true}],"a":"x"}"#.to_owned()),
        Just(r#"[{},[[]],"y",false]"#.to_owned()),
        Just(r#""2017-01-15T01:30:15.01Z""#.to_owned()),
        Just(r#""-1.5s""#.to_owned()),
        Just(r#""one,other.f1""#.to_owned()),
    ];
    ("(f[1-9]|f1[0-8]|list|texts|map|one|other|any|value|struct|items|time|span|mask|wrapped|nope)", value)
        .prop_map(|(key, value)| format!("\"{key}\":{value}"))
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn any_text_is_read_or_refused(text in r#"[\[\]{}",:a-z0-9\\.eE+\- é]{0,40}"#) {
        let _ = read(&schema(), &text);
        let _ = read(&schema(), &format!("{{{text}}}"));
    }

    #[test]
    fn any_bytes_are_printed_or_refused(bytes: Vec<u8>) {
        let _ = print(&schema(), &bytes);
    }

    #[test]
    fn what_was_read_prints_and_reads_the_same(members in proptest::collection::vec(member(), 0..6)) {
        let schema = schema();
        if let Some(bytes) = read(&schema, &format!("{{{}}}", members.join(","))) {
            let text = print(&schema, &bytes).expect("what we wrote is a message");
            prop_assert_eq!(read(&schema, &text), Some(bytes), "{}", text);
        }
    }

    #[test]
    fn any_parameter_is_bound_or_refused(
        name in r"(f[1-9]|other|map|list|texts|one|any|nope|\.|\[|\]|-?[0-9]|é){1,5}",
        text in r"-?[0-9a-zé.]{0,6}",
        wire: Vec<u8>,
    ) {
        let schema = schema();
        let root = schema.get(schema.find("x.M").expect("it is there"));
        let api = Api { schema: &schema, options: OPTIONS, loader: &Nothing };
        let (variables, captures, values, source) = (&[][..], &[][..], &[][..], Source::Query);
        let (prefix, closed) = (None, None);
        let parameters =
            Parameters {
                api, root, variables, captures, values, source, prefix, closed, wire: &[], outlines: Default::default(), max_depth: 20,
            };
        let mut node = Node::default();
        let _ = parameters.bind(&mut node, &name, &text);
        let mut out = Vec::new();
        prop_assert!(merge(&mut out, &schema, root, &[], &node).is_ok());
        let _ = merge(&mut out, &schema, root, &wire, &node);
    }
}
