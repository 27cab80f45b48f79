"""Addresses that must never be called: as data, each with the name look-up that it may cause, if any."""

# ruff: noqa: RUF001  (look-alikes are what this is about)

# Refused under every policy, before any name is looked up.
UNUSABLE = (
    # nothing, or not an address
    "", " ", "/", "//", "///", "http", "http:", "http:/", "http://", "https://", "http:///", "http:////x",
    "127.0.0.1", "127.0.0.1:4000", "localhost", "llm.example.com", "//llm.example.com", "://llm.example.com",
    "http:llm.example.com", "http:/llm.example.com", "http//llm.example.com", "not an address",
    # other schemes
    "ftp://127.0.0.1/", "file:///etc/passwd", "file://127.0.0.1/etc/passwd", "gopher://127.0.0.1:6379/_x",
    "dict://127.0.0.1:11211/", "ldap://127.0.0.1/", "ws://127.0.0.1/", "wss://127.0.0.1/",
    "unix:///var/run/docker.sock", "http+unix://%2Fvar%2Frun%2Fdocker.sock/", "javascript:alert(1)",
    "data:text/plain,x", "jar:http://127.0.0.1!/", "view-source:http://127.0.0.1", "httpx://127.0.0.1",
    "hxxp://127.0.0.1", "redis://127.0.0.1:6379", "smb://127.0.0.1/", "tftp://127.0.0.1/", "ssh://127.0.0.1",
    # user info
    "http://u@127.0.0.1", "http://u:p@127.0.0.1", "http://@127.0.0.1", "http://:@127.0.0.1:4000",
    "http://llm.example.com@169.254.169.254", "http://127.0.0.1:4000@10.0.0.1",
    "http://127.0.0.1:4000@llm.example.com/", "http://sk-1234@localhost:4000", "http://a@b@127.0.0.1",
    "http://127.0.0.1%40llm.example.com", "http://llm.example.com:443@[::1]",
    # control characters, spaces, backslashes
    "http://127.0.0.1\r\nHost: x", "http://127.0.0.1\n", "\nhttp://127.0.0.1", "http://127.0.0.1\t",
    "http://127.0.0.1\x00.example.com", "http://127.0.0.1 .example.com", " http://127.0.0.1",
    "http://127.0.0.1 ", "http://127.0.0.1:4000/a b", "http://127.0.0.1:4000/\r\nX: y",
    "http://127.0.0.1\x0b", "http://127.0.0.1\x7f", "ht\ntp://127.0.0.1", "http:\\\\127.0.0.1",
    "http://127.0.0.1\\@llm.example.com", "http://llm.example.com\\.evil.com", "http://127.0.0.1:4000\\..\\x",
    "http:\\/\\/127.0.0.1", "http://127.0.0.1/%0d%0aX:y", "http://127.0.0.1/%2e%2e/", "http://127.0.0.1/%00",
    # queries and fragments
    "http://127.0.0.1?x", "http://127.0.0.1/?key=sk-1234", "http://127.0.0.1#x", "http://127.0.0.1/#/",
    "http://127.0.0.1:4000/ui/?page=usage", "http://llm.example.com#@127.0.0.1",
    "http://llm.example.com?@127.0.0.1", "http://127.0.0.1:4000/;x", "http://127.0.0.1:4000/a,b",
    # odd IPv4 notations
    "http://2130706433", "http://0x7f000001", "http://017700000001", "http://0177.0.0.1", "http://0x7f.0.0.1",
    "http://0x7f.0x0.0x0.0x1", "http://127.1", "http://127.0.1", "http://127.0.0.1.", "http://127.0.0.01",
    "http://127.000.000.001", "http://0", "http://0x0", "http://00", "http://1", "http://256.256.256.256",
    "http://127.0.0.256", "http://127.0.0.1.1", "http://2852039166", "http://0xa9fea9fe", "http://0251.254.169.254",
    "http://0xa9.0xfe.0xa9.0xfe", "http://169.254.43518", "http://169.16689662", "http://025177524776",
    "http://127.0.0.1e0", "http://127..0.1", "http://.127.0.0.1", "http://0x7F.1", "http://4294967296",
    "http://-1", "http://127.0.0.-1", "http://1.2.3.0x4", "http://example.0x7f000001", "http://foo.1",
    # names that are none
    "http://.", "http://..", "http://a..b", "http://.llm.example.com", "http://llm.example.com.",
    "http://llm.example.com..", "http://localhost.", "http://-a.example.com", "http://a-.example.com",
    "http://" + "a" * 64 + ".example.com", "http://" + "a." * 127 + "example.com", "http://" + "a" * 300,
    "http://a!b.example.com", "http://a*b.example.com", "http://*", "http://a~b", "http://a'b", "http://$HOME",
    "http://a,b", "http://(localhost)", "http://<localhost>", "http://localhost%00", "http://%6c%6f%63alhost",
    # look-alikes
    "http://lócalhost", "http://①②⑦.⓪.⓪.①", "http://127。0。0。1", "http://ｌocalhost", "http://llm.exаmple.com",
    "http://llm.example。com", "http://localhost\u200b", "http://\u202elocalhost", "http://ⓛocalhost",
    "http://１２７.0.0.1", "http://localho\u017ft", "http://127.0.0.1\u2044x", "http://127.0.0.1／x",
    # ports
    "http://127.0.0.1:", "http://127.0.0.1:0", "http://127.0.0.1:00", "http://127.0.0.1:65536",
    "http://127.0.0.1:99999", "http://127.0.0.1:-1", "http://127.0.0.1:+80", "http://127.0.0.1:4000:80",
    "http://127.0.0.1:0x50", "http://127.0.0.1:８０", "http://127.0.0.1:http", "http://127.0.0.1:4000 ",
    "http://127.0.0.1: 80", "http://127.0.0.1:080", "http://127.0.0.1:4000000000000", "http://:4000",
    "http://llm.example.com:80:443", "http://[::1]:0", "http://[::1]:", "http://[::1]:65536",
    # IPv6
    "http://::1", "http://::1:4000", "http://[", "http://]", "http://[]", "http://[]:80", "http://[::1",
    "http://::1]", "http://[[::1]]", "http://[::1]x", "http://[::1]x:80", "http://[::1%lo]", "http://[::1%25lo]",
    "http://[fe80::1%eth0]", "http://[fe80::1%25eth0]", "http://[:::1]", "http://[1::2::3]", "http://[12345::]",
    "http://[::1/128]", "http://[::127.0.0.256]", "http://[::g]", "http://[v1.x]", "http://[127.0.0.1]",
    "http://[localhost]", "http://[0x1::]", "http://x[::1]", "http://[::1][::1]",
    # paths
    "http://127.0.0.1/..", "http://127.0.0.1/a/../b", "http://127.0.0.1/./a", "http://127.0.0.1/...",
    "http://127.0.0.1/" + "a" * 300, "http://127.0.0.1/a:b", "http://127.0.0.1/a@b", "http://127.0.0.1/<x>",
    "http://127.0.0.1/ä", "http://127.0.0.1/" + "a/" * 2000,
)  # fmt: skip

# Refused where any public address may be called, and under the list below; no name is looked up.
INWARD = (
    "http://10.0.0.1", "http://10.255.255.255:4000", "http://172.16.0.1", "http://172.31.255.254:8080",
    "http://192.168.0.1", "http://192.168.1.1:443", "http://127.0.0.1", "http://127.0.0.1:4000",
    "http://127.255.255.254", "http://[::1]", "http://[::1]:4000", "http://[0:0:0:0:0:0:0:1]",
    "http://169.254.169.254", "http://169.254.169.254/latest/meta-data", "http://169.254.170.2", "http://169.254.0.1",
    "http://100.100.100.200", "http://168.63.129.16", "http://192.0.0.192", "http://[fd00:ec2::254]",
    "http://[fd20:ce::254]", "http://0.0.0.0", "http://0.0.0.0:4000", "http://0.1.2.3", "http://[::]",
    "http://100.64.0.1", "http://100.127.255.254", "http://192.0.0.1", "http://192.0.2.1", "http://198.18.0.1",
    "http://198.19.255.255", "http://198.51.100.7", "http://203.0.113.9", "http://192.88.99.1", "http://224.0.0.1",
    "http://239.255.255.250", "http://240.0.0.1", "http://255.255.255.255", "http://[fe80::1]", "http://[febf::1]",
    "http://[fec0::1]", "http://[feff::1]", "http://[fc00::1]", "http://[fd12:3456::1]", "http://[ff02::1]",
    "http://[ff0e::1]", "http://[::ffff:127.0.0.1]", "http://[::ffff:7f00:1]", "http://[::ffff:10.0.0.1]",
    "http://[::ffff:169.254.169.254]", "http://[::ffff:a9fe:a9fe]", "http://[::ffff:8.8.8.8]",
    "http://[::ffff:0:127.0.0.1]", "http://[::127.0.0.1]", "http://[::7f00:1]", "http://[::8.8.8.8]", "http://[::2]",
    "http://[64:ff9b::7f00:1]", "http://[64:ff9b::169.254.169.254]", "http://[64:ff9b::808:808]",
    "http://[64:ff9b:1::a00:1]", "http://[2002:7f00:1::]", "http://[2002:a9fe:a9fe::1]", "http://[2002:808:808::1]",
    "http://[2001::1]", "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "http://[2001:2::1]", "http://[2001:10::1]",
    "http://[2001:20::1]", "http://[2001:db8::1]", "http://[3fff::1]", "http://[5f00::1]", "http://[100::1]",
    "http://[4000::1]", "http://[1::1]", "http://[8000::1]",
    # a public address on a port off the list, a name that may look like another one
    "http://8.8.8.8:22", "http://8.8.8.8:25", "http://8.8.8.8:6379", "https://8.8.8.8:8443", "http://one.one.one.one:5432",
    "https://xn--llm-exmple-q1a.com", "https://www.xn--80ak6aa92e.com", "https://XN--80AK6AA92E.com",
)  # fmt: skip

# Names, and what they resolve to: one bad address among good ones is enough.
REBOUND = (
    ("127.0.0.1",), ("::1",), ("10.0.0.5",), ("172.20.0.3",), ("192.168.1.10",), ("169.254.169.254",),
    ("fd00:ec2::254",), ("100.64.1.1",), ("0.0.0.0",), ("::",), ("::ffff:127.0.0.1",), ("::ffff:8.8.8.8",),
    ("64:ff9b::a9fe:a9fe",), ("2002:7f00:1::1",), ("2001::53aa:64c:0:7f2",), ("fe80::1",), ("fe80::1%eth0",),
    ("2606:4700::1111%1",), ("fec0::1",), ("fc00::5",), ("224.0.0.5",), ("ff02::2",), ("255.255.255.255",),
    ("192.0.2.55",), ("198.18.0.9",), ("2001:db8::9",), ("8.8.8.8", "127.0.0.1"), ("8.8.8.8", "10.1.1.1"),
    ("2606:4700::1111", "::1"), ("1.1.1.1", "1.0.0.1", "169.254.169.254"), ("8.8.8.8", "not an address"),
    tuple(f"8.8.{n}.8" for n in range(40)), (), ("",), ("localhost",), ("0x7f.1",), ("2130706433",),
)  # fmt: skip
