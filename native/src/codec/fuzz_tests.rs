//! Fuzz targets of the codec: JSON texts, wire bytes, the texts of scalars and well-known types, queries.
//!
//! `FUZZ_JSON_SUITE` names JSONTestSuite's `data/parsing.js`, whose texts are seeds then.

use base64::engine::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::cursor::Cursor;
use super::explain::{explain, explain_text};
use super::floats::{put_double, put_float};
use super::query;
use super::scalars::{double_of_text, integer_of_text, octets_of_text};
use super::schema::Kind;
use super::special::put_mask;
use super::tests::{print, read, schema};
use super::text::put_string;
use super::times::{parse_duration, parse_timestamp, put_duration, put_timestamp};
use super::wire::{MAX_NESTING, read_tag, skip};
use crate::fuzz::fuzz;

const TEXTS: &[&str] = &[
    r#"{"f1":1.5,"f2":-0.0,"f3":"-9","f4":9,"f5":1e2,"f8":true,"f9":"\u00e9\n\ud83d\ude00","f12":"aGk=","f14":"ONE","f18":-1}"#,
    r#"{"map":{"1":{"one":"a"},"-2":{}},"list":[1,-2,3],"texts":["a",""],"other":{"other":{"f5":7}}}"#,
    r#"{"any":{"f1":1,"@type":"t/x.M"},"one":null,"nope":{"a":[{"b":[[],{}]},1e5,"x"]}}"#,
    r#"{"any":{"@type":"t/google.protobuf.Duration","value":"-1.5s"}}"#,
    r#"{"value":{"b":[1.5,null,{"c":true}],"a":"x"},"struct":{"k":1},"items":[{},[[]],"y",false]}"#,
    r#"{"time":"2017-01-15T01:30:15.010+01:00","span":"3.000000001s","mask":"one,other.f1","wrapped":"-5"}"#,
    r#" { "f9" : "\"\\\/\b\f\r\t" , "f1" : "-Infinity" , "f2" : "NaN" } "#,
    r#"[1,2"#,
    r#"{"a":1,"a":2}"#,
    r#"[1e999]"#,
    "\u{feff}{}",
    r#""\ud800""#,
    "-",
    "nul",
    "[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// The texts of JSONTestSuite: JavaScript strings, written as JSON.
fn suite() -> Vec<Vec<u8>> {
    let Some(path) = std::env::var_os("FUZZ_JSON_SUITE") else { return Vec::new() };
    let source = std::fs::read_to_string(path).expect("the suite can be read");
    let texts = source.lines().filter_map(|line| {
        let at = line.find("\"input\": ")? + 9;
        Some(Cursor { text: line.as_bytes(), at }.string().ok()?.as_bytes().to_vec())
    });
    // A few are 100,000 brackets: those cost more time than they find.
    texts.filter(|text| text.len() < 1000).collect()
}

fn texts() -> Vec<Vec<u8>> {
    TEXTS.iter().map(|text| text.as_bytes().to_vec()).chain(suite()).collect()
}

#[test]
fn fuzz_json() {
    let schema = schema();
    fuzz("JSON", texts(), |data| {
        let why = explain(data);
        let Ok(text) = std::str::from_utf8(data) else {
            prop_assert!(why.is_some(), "JSON is UTF-8");
            return Ok(());
        };
        for text in [text.to_owned(), format!("{{\"value\":{text}}}"), format!("{{\"nope\":{text}}}")] {
            let Some(bytes) = read(&schema, &text) else { continue };
            prop_assert!(explain_text(&text).is_none(), "what is no JSON was read");
            let printed = print(&schema, &bytes).expect("what was read is a message");
            prop_assert!(explain_text(&printed).is_none(), "what is printed is JSON: {printed}");
            prop_assert_eq!(read(&schema, &printed), Some(bytes), "{}", printed);
        }
        Ok(())
    });
}

#[test]
fn fuzz_wire() {
    let schema = schema();
    let mut seeds: Vec<_> = TEXTS.iter().filter_map(|text| read(&schema, text)).collect();
    // A oneof told twice, a message in two parts, packed and single values, a group, an unknown field, an Any of no type.
    seeds.push(b"\xba\x01\x01a\xc2\x01\x02\x28\x01\xc2\x01\x02\x30\x02\xa2\x01\x02\x01\x02\xa0\x01\x03".to_vec());
    seeds.push(b"\xfb\x07\x08\x01\xfc\x07\xf8\x07\x01\xca\x01\x05\x0a\x03t/N".to_vec());
    fuzz("wire", seeds, |data| {
        let mut at = 0;
        while let Ok((number, wire)) = read_tag(data, &mut at) {
            if skip(data, &mut at, number, wire, MAX_NESTING).is_err() {
                break;
            }
            prop_assert!(at <= data.len());
        }
        let Some(printed) = print(&schema, data) else { return Ok(()) };
        prop_assert!(explain_text(&printed).is_none(), "what is printed is JSON: {printed}");
        let Some(bytes) = read(&schema, &printed) else { return Ok(()) };
        prop_assert_eq!(print(&schema, &bytes), Some(printed));
        Ok(())
    });
}

#[test]
fn fuzz_printing() {
    let seeds = [
        1.5f64.to_le_bytes(),
        f64::MAX.to_le_bytes(),
        5e-324f64.to_le_bytes(),
        (-0.0f64).to_le_bytes(),
        f64::NAN.to_le_bytes(),
        253_402_300_799i64.to_le_bytes(),
        (-62_135_596_800i64).to_le_bytes(),
        315_576_000_000i64.to_le_bytes(),
        (-315_576_000_000i64).to_le_bytes(),
        *b"\"\\\n\x7f\xc3\xa9x\0",
    ];
    let seeds = seeds.iter().map(|eight| [&eight[..], &999_999_999i32.to_le_bytes()].concat()).collect();
    fuzz("printing", seeds, |data| {
        let text = String::from_utf8_lossy(data);
        let mut out = Vec::new();
        put_string(&mut out, text.as_bytes());
        prop_assert_eq!(Cursor::new(&out).string().ok(), Some(text));
        let (Some(eight), Some(four)) = (data.first_chunk::<8>(), data.last_chunk::<4>()) else { return Ok(()) };
        let (double, single) = (f64::from_le_bytes(*eight), f32::from_le_bytes(*four));
        let number = |put: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            put(&mut out);
            String::from_utf8(out).expect("numbers are text").trim_matches('"').to_owned()
        };
        let text = number(&|out| put_double(out, double));
        let read = double_of_text(&text, false).ok();
        prop_assert!(read.is_some_and(|read| read == double || read.is_nan() && double.is_nan()), "{}", text);
        let text = number(&|out| put_float(out, single));
        let read = double_of_text(&text, true).ok().map(|read| read as f32);
        prop_assert!(read.is_some_and(|read| read == single || read.is_nan() && single.is_nan()), "{}", text);
        let (seconds, nanos) = (i64::from_le_bytes(*eight), i32::from_le_bytes(*four));
        for seconds in [seconds, seconds % 400_000_000_000] {
            for nanos in [nanos, nanos % 1_000_000_000] {
                let text = number(&|out| _ = put_timestamp(out, seconds, nanos));
                prop_assert!(text.is_empty() || parse_timestamp(&text) == Ok((seconds, nanos)), "{}", text);
                let text = number(&|out| _ = put_duration(out, seconds, nanos));
                prop_assert!(text.is_empty() || parse_duration(&text) == Ok((seconds, nanos)), "{}", text);
            }
        }
        Ok(())
    });
}

#[test]
fn fuzz_scalars() {
    let seeds = [
        "2017-01-15T01:30:15.01Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999-23:59",
        "2024-02-29T00:00:00+00:00",
        "-1.5s",
        "315576000000s",
        "-315576000000.999999999s",
        "0.000000001s",
        "aGVsbG8",
        "aGVsbG8=",
        "-_-_",
        "+/+/",
        "1e2",
        "-0",
        "12.50e1",
        "0e999999999",
        "18446744073709551615",
        "-9223372036854775808",
        "3.4028235677973366e+38",
        "NaN",
        "-Infinity",
        "one,other.f1",
        "fooBar,a",
    ];
    fuzz("scalars", seeds.iter().map(|text| text.as_bytes().to_vec()).collect(), |data| {
        let Ok(text) = std::str::from_utf8(data) else { return Ok(()) };
        let mut out = Vec::new();
        if let Ok((seconds, nanos)) = parse_timestamp(text) {
            prop_assert!(put_timestamp(&mut out, seconds, nanos));
        }
        if let Ok((seconds, nanos)) = parse_duration(text) {
            prop_assert!(put_duration(&mut out, seconds, nanos));
        }
        let mut octets = Vec::new();
        if octets_of_text(&mut octets, text).is_ok() {
            let mut again = Vec::new();
            prop_assert!(octets_of_text(&mut again, &STANDARD.encode(&octets)).is_ok());
            prop_assert_eq!(again, octets);
        }
        for kind in [Kind::Int32, Kind::UInt32, Kind::Int64, Kind::UInt64, Kind::SInt64, Kind::SFixed32] {
            let _ = integer_of_text(kind, text);
        }
        if let Ok(bits) = integer_of_text(Kind::Int64, text) {
            prop_assert_eq!(integer_of_text(Kind::Int64, &(bits as i64).to_string()), Ok(bits));
        }
        for single in [false, true] {
            if let Ok(value) = double_of_text(text, single) {
                prop_assert!(!single || value.is_nan() || value.is_infinite() || (value as f32).is_finite());
            }
        }
        let _ = put_mask(&mut Vec::new(), text);
        Ok(())
    });
}

#[test]
fn fuzz_query() {
    let seeds = ["a=1&b=%C3%A9&c=+&d", "f1=1.5&other.f5=7&map[1].one=x", "%zz=1", "a=%F0%9F%98%80;b=2&&=&=x"];
    fuzz("query", seeds.iter().map(|text| text.as_bytes().to_vec()).collect(), |data| {
        let Ok(text) = std::str::from_utf8(data) else { return Ok(()) };
        for plus_is_space in [false, true] {
            let Some(pairs) = query::parse(text, plus_is_space) else { continue };
            let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
            let again: Vec<_> =
                pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
            let again = again.join("&");
            prop_assert_eq!(query::parse(&again, plus_is_space), Some(pairs));
        }
        Ok(())
    });
}
