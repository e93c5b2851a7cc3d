//! What fuzzing begins with: the parts of `tests/unit/wire/http1_texts.py`, sound and odd, each in a request of its own.

pub const HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n";

const METHODS: &str =
    "GET|POST|HEAD|OPTIONS|DELETE|M-SEARCH|QUERY|CONNECT|PRI|get|GE|GETT||SOURCE|FOO|G\0T|X-Y| GET|UNSUBSCRIBE";
const TARGETS: &str = "/a/b|/%20?q=1|/a?b?c|/?|/a;b=c|http://h/x?y|http://h|HTTPS://h:1?q|http://[::1]:80/a|*|*x|a|a:1|//x|/\\a|/a#b|\
    |http://|http:///a|http://a@b/|http://a,b/|ftp://a/|http:/a|?|/a b|/<>|http://a\"b/|http://a@b@c/|a%/b|http://a#/|/aaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const VERSIONS: &str = "HTTP/1.0|HTTP/2.0|HTTP/0.9|HTTP/1.2|HTTP/11.1|HTTP/1.10|http/1.1|HTTP/1,1|HTTP/a.1|RTSP/1.0|HTTP/3.0|HTTP/1.1 |HTTP/";
const FIELDS: &str = "Accept: */*|x:y|X-Long-Name: a b\tc |empty:|Connection: keep-alive|connection: x, Close|Expect: 100-continue|Upgrade: h2c|\
    Connection: Upgrade|Cookie: a=b|TE: trailers|Host: b|Host: |Host: u@h|Host: h:99999|Host: [::1]|Host: [::1| folded|\tfolded|x : y|: y|x|\
    x: a\0b|x: a\rb|x: a\nb|x: \x7f|x(: y|Content-Length: 0|Content-Length: 3|Content-Length: +3|Content-Length: 3,3|Content-Length:|\
    Content-Length: 0x3|Content-Length: 9999999999999999999|Content-Length: 0003|Content-Length : 3|Transfer-Encoding: Chunked|\
    Transfer-Encoding:|Transfer-Encoding: gzip, chunked|Transfer-Encoding: \x0bchunked|Expect: 200-ok|Connection: close, keep-alive|\
    Proxy-Connection: close|Connection:\tclose\t|Connection: upgrade, close";
const PAIRS: [&str; 4] = [
    "Content-Length: 3\r\nContent-Length: 3",
    "Content-Length: 3\r\nTransfer-Encoding: chunked",
    "Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 3",
    "a: b\r\nc: d\r\ne: f\r\ng: h\r\ni: j\r\nTransfer-Encoding: x",
];
const CHUNKS: [&[u8]; 24] = [
    b"3\r\nabc\r\n",
    b"a\r\n0123456789\r\n",
    b"04\r\n\r\n\r\n\r\n",
    b"1;a\r\nx\r\n",
    b"1;a=\"b\\\"c\";d=e\r\nx\r\n",
    b"A;x=\r\n0123456789\r\n",
    b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n",
    b"0x3\r\nabc\r\n",
    b"3 \r\nabc\r\n",
    b"3\nabc\r\n",
    b"3\r\nabc\n",
    b"3\r\nabcXX",
    b"\r\n",
    b"3;\r\nabc\r\n",
    b"3; a\r\nabc\r\n",
    b"3;a b\r\nabc\r\n",
    b"3;a=\"b\r\nabc\r\n",
    b"3;a=\"b\"c\r\nabc\r\n",
    b"3\rabc\r\n",
    b"00000000000000003\r\nabc\r\n",
    b"ffffffffffffffff\r\nabc",
    b"fffffffffffffffff\r\n",
    b"40;eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee=\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\"\r\n",
    b"-3\r\nabc\r\n",
];
const ENDS: [&[u8]; 13] = [
    b"0\r\n\r\n",
    b"0\r\nT: 1\r\n\r\n",
    b"00;a=b\r\n\r\n",
    b"0\r\nA: b\r\nC: d\r\n\r\n",
    b"0\r\na: b\r\nc: d\r\ne: f\r\ng: h\r\ni: j\r\nContent-Length: 1\r\n\r\n",
    b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"0\r\nHost: x\r\n x: y\r\n\r\n",
    b"0\r\nx : y\r\n\r\n",
    b"0\r\nx\r\n\r\n",
    b"0\n\n",
    b"0\r\n\n",
    b"0\r\r\n\r\n",
    b"0\r\nx: a\0\r\n\r\n",
];

fn request(method: &str, target: &str, version: &str, fields: &str) -> Vec<u8> {
    format!("{method} {target} {version}\r\nHost: h\r\n{fields}\r\n").into_bytes()
}

/// One part at a time that is odd, or a usual one.
pub fn heads() -> Vec<Vec<u8>> {
    let fields = FIELDS.split('|').chain(PAIRS);
    let mut heads: Vec<_> = METHODS.split('|').map(|method| request(method, "/", "HTTP/1.1", "")).collect();
    heads.extend(TARGETS.split('|').map(|target| request("GET", target, "HTTP/1.1", "")));
    heads.extend(VERSIONS.split('|').map(|version| request("GET", "/", version, "")));
    heads.extend(fields.map(|field| request("POST", "/", "HTTP/1.1", &format!("{field}\r\n"))));
    heads.extend(
        [&b"GET /\r\n\r\n"[..], b"\r\n\n\r\nGET / HTTP/1.0\r\n\r\n", b"GET  /  HTTP/1.1\r\nHost:h\r\nx: \xe9\r\n\r\n"]
            .map(<[u8]>::to_vec),
    );
    heads.push(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec());
    heads
}

/// Chunked bodies, without their heads.
pub fn bodies() -> Vec<Vec<u8>> {
    let odd_chunks = CHUNKS.iter().map(|chunk| [*chunk, ENDS[0]].concat());
    odd_chunks.chain(ENDS.iter().map(|end| [CHUNKS[0], CHUNKS[4], *end].concat())).collect()
}

/// Requests behind each other.
pub fn pipelines() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> = heads().into_iter().map(|head| [&head[..], b"abc", NEXT].concat()).collect();
    seeds.extend(bodies().into_iter().map(|body| [HEAD, &body, NEXT].concat()));
    seeds.push(
        [NEXT, HEAD, &bodies()[0], NEXT, &request("PUT", "/", "HTTP/1.1", "Content-Length: 3\r\n"), b"abc", NEXT]
            .concat(),
    );
    seeds
}
