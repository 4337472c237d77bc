// SPDX-License-Identifier: BSD-3-Clause
// Tests both pumps between Unix sockets: they write all bytes that they read, in order, and keep
// bytes that do not fit.

#include "src/splice/forward/pump.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <string>

namespace twinpath::splice {
namespace {

class PumpTest : public ::testing::TestWithParam<bool> {
 protected:
  PumpTest() {
    signal(SIGPIPE, SIG_IGN);  // splice(2) raises it; the program ignores it, too
    Pair(&sender_, &source_);
    Pair(&sink_, &receiver_);
    pump_ = GetParam() ? MakeSplicePump(&pool_) : MakeCopyPump(&pool_);
  }

  static void Pair(FileDescriptor* a, FileDescriptor* b) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    *a = FileDescriptor(ends[0]);
    *b = FileDescriptor(ends[1]);
  }

  void Send(const std::string& text) {
    ASSERT_EQ(send(sender_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }

  std::string Receive() {
    std::string all;
    char buffer[65536];
    for (ssize_t got; (got = recv(receiver_.get(), buffer, sizeof(buffer), 0)) > 0;)
      all.append(buffer, static_cast<size_t>(got));
    return all;
  }

  PumpStop Move(uint64_t most = UINT64_MAX) {
    return pump_->Move(source_.get(), sink_.get(), most);
  }

  PumpPool pool_;
  FileDescriptor sender_, source_, sink_, receiver_;
  std::unique_ptr<Pump> pump_;
};

TEST_P(PumpTest, MovesEverythingThatIsThere) {
  EXPECT_EQ(Move(), PumpStop::kSourceEmpty);
  Send("some");
  Send("thing");
  EXPECT_EQ(Move(), PumpStop::kSourceEmpty);
  EXPECT_EQ(Receive(), "something");
  EXPECT_EQ(pump_->read(), 9u);
  EXPECT_EQ(pump_->written(), 9u);
}

TEST_P(PumpTest, MovesAtMostWhatIsAllowed) {
  Send("0123456789");
  EXPECT_EQ(Move(4), PumpStop::kQuotaUsed);
  EXPECT_EQ(Receive(), "0123");
  EXPECT_EQ(Move(0), PumpStop::kQuotaUsed);
  EXPECT_EQ(Move(100), PumpStop::kSourceEmpty);
  EXPECT_EQ(Receive(), "456789");
}

TEST_P(PumpTest, ReportsTheEndAfterTheLastByte) {
  Send("last");
  shutdown(sender_.get(), SHUT_WR);
  pump_->ReadToEnd();  // as after EPOLLRDHUP
  EXPECT_EQ(Move(), PumpStop::kSourceEnded);
  EXPECT_EQ(Receive(), "last");
  EXPECT_EQ(Move(), PumpStop::kSourceEnded);
}

TEST_P(PumpTest, HoldsWhatDoesNotFitAndWritesItFirst) {
  std::string sent, received;
  PumpStop stop = PumpStop::kSourceEmpty;
  for (int i = 0; stop != PumpStop::kSinkFull; i++) {
    ASSERT_LT(i, 10000);
    sent += std::string(1000, static_cast<char>('a' + i % 26));
    Send(sent.substr(sent.size() - 1000));
    stop = Move();
  }
  EXPECT_GT(pump_->held(), 0u);
  EXPECT_EQ(Move(), PumpStop::kSinkFull);
  Send("end");
  sent += "end";
  shutdown(sender_.get(), SHUT_WR);
  for (int i = 0; i < 100 && stop != PumpStop::kSourceEnded; i++) {
    received += Receive();
    stop = Move();
  }
  EXPECT_EQ(stop, PumpStop::kSourceEnded);
  received += Receive();
  EXPECT_EQ(received, sent);
  EXPECT_EQ(pump_->held(), 0u);
}

TEST_P(PumpTest, ABrokenSinkIsAnError) {
  Send("lost");
  receiver_ = FileDescriptor();
  EXPECT_EQ(Move(), PumpStop::kSinkError);
  EXPECT_EQ(pump_->error(), EPIPE);
  EXPECT_EQ(pump_->held(), 4u);
}

TEST(PumpPoolTest, KeepsPipesForReuse) {
  PumpPool pool;
  PumpPool::Pipe pipe;
  ASSERT_TRUE(pool.TakePipe(&pipe));
  const int in = pipe.in.get();
  EXPECT_GE(in, 0);
  pool.ReturnPipe(std::move(pipe));
  PumpPool::Pipe again;
  ASSERT_TRUE(pool.TakePipe(&again));
  EXPECT_EQ(again.in.get(), in);
}

INSTANTIATE_TEST_SUITE_P(Both, PumpTest, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "splice" : "copy"; });

}  // namespace
}  // namespace twinpath::splice
