#include "storage/frame.h"

#include <gtest/gtest.h>

#include <random>

namespace picket::storage {
namespace {

std::vector<std::string> Unpacked(std::string_view packed) {
  std::vector<std::string> records;
  const auto frame = UnpackedFrame::From(packed);
  EXPECT_TRUE(frame);
  for (std::size_t i = 0; frame && i < frame->size(); ++i) records.emplace_back(frame->Record(i));
  return records;
}

TEST(FrameTest, RecordsComeBackAsTheyWere) {
  const std::vector<std::string> records = {"{}", "", R"({"a":"ä"})", std::string("\0x", 2),
                                            std::string(100'000, 'y')};
  const std::vector<std::string_view> views(records.begin(), records.end());
  EXPECT_EQ(Unpacked(PackFrame(views)), records);
}

TEST(FrameTest, RecordsThatLookAlikeTakeLittle) {
  std::vector<std::string> records;
  for (int i = 0; i < 64; ++i) {
    records.push_back(
        R"({"userPrincipalName":"someone@contoso.example","appDisplayName":"Mail","n":)" +
        std::to_string(i) + "}");
  }
  const std::vector<std::string_view> views(records.begin(), records.end());
  EXPECT_LT(PackFrame(views).size(), 64 * records[0].size() / 5);
}

TEST(FrameTest, ADamagedFrameIsAnErrorAndNeverMore) {
  std::mt19937 random(7);
  std::vector<std::string> records;
  for (int i = 0; i < 20; ++i) records.push_back(std::string(50, static_cast<char>('a' + i)));
  const std::vector<std::string_view> views(records.begin(), records.end());
  const std::string good = PackFrame(views);
  int errors = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    if (i % 2 == 0) {
      char& byte = bad[random() % bad.size()];
      byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1 + random() % 255));
    } else {
      bad.resize(random() % bad.size());
    }
    const auto frame = UnpackedFrame::From(bad);
    if (!frame) {
      EXPECT_EQ(frame.error().kind, ErrorKind::kStorage);
      ++errors;
      continue;
    }
    EXPECT_EQ(Unpacked(bad), records) << "what is taken is what was packed";
  }
  EXPECT_GT(errors, 2900);
}

TEST(FrameTest, WhatIsNoFrameIsRefused) {
  EXPECT_FALSE(UnpackedFrame::From(""));
  EXPECT_FALSE(UnpackedFrame::From("nothing of zstd"));
}

}  // namespace
}  // namespace picket::storage
