// SPDX-License-Identifier: BSD-3-Clause
// The telemetry server and client over real sockets, in a runtime folder of this test.

#include "src/telemetry/server/server.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "src/telemetry/client/client.h"
#include "src/telemetry/json.h"
#include "src/telemetry/server/protocol.h"
#include "tests/unit/lib/telemetry_snapshots.h"

namespace twinpath {
namespace {

using nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr char kPrefix[] = "twinpath-test";
constexpr char kVersion[] = "twinpath test";

absl::StatusOr<TelemetryServer> StartServer(const Snapshot& snapshot,
                                            const std::string& prefix = kPrefix,
                                            const TelemetryServer::Limits& limits = {}) {
  return TelemetryServer::Start(
      prefix, kVersion, [snapshot] { return snapshot; }, limits);
}

// A client that breaks the protocol.
class RawClient {
 public:
  explicit RawClient(const std::string& path)
      : fd_(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    timeval limit = {.tv_sec = 5, .tv_usec = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    connected_ = connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  bool connected() const { return connected_; }
  int fd() const { return fd_.get(); }
  bool Send(const std::string& record) {
    return send(fd(), record.data(), record.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(record.size());
  }
  // Empty if the server closed the connection.
  std::string Receive() {
    std::string record(kMaxAnswer + 1, '\0');
    const ssize_t size = recv(fd(), record.data(), record.size(), 0);
    record.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return record;
  }
  std::string Ask(const std::string& request) { return Send(request) ? Receive() : "(not sent)"; }

 private:
  FileDescriptor fd_;
  bool connected_ = false;
};

class TelemetryServerTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "telemetry-XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr) << folder_;
    setenv("RUNTIME_DIRECTORY", folder_.c_str(), 1);
    path_ = folder_ + "/dpdk/" + kPrefix + "/dpdk_telemetry.v2";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_, path_;
};

TEST_F(TelemetryServerTest, ListensWhereDpdksToolsLookAndGreetsAsDpdk) {
  absl::StatusOr<TelemetryServer> server = StartServer(SmallSnapshot("xdp"));
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(server->path(), path_);
  struct stat folder = {};
  ASSERT_EQ(stat((folder_ + "/dpdk/" + kPrefix).c_str(), &folder), 0);
  EXPECT_EQ(folder.st_mode & 0777, 0700u);
  RawClient client(path_);
  EXPECT_EQ(client.Receive(), "{\"version\":\"twinpath test\",\"pid\":" + std::to_string(getpid()) +
                                  ",\"max_output_len\":16384}");
  EXPECT_EQ(client.Ask("/nope"), "{\"/nope\":null}");
  EXPECT_EQ(client.Ask("/twinpath/rules,2"),
            "{\"/twinpath/rules\":{\"total\":2,\"first\":2,\"duration_us\":12345679}}");
}

TEST_F(TelemetryServerTest, RemovesItsSocketAtTheEnd) {
  { ASSERT_TRUE(StartServer(SmallSnapshot("xdp")).ok()); }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(TelemetryServerTest, RemovesItsFoldersAtTheEndUnlessSomethingElseIsInThem) {
  { ASSERT_TRUE(StartServer(SmallSnapshot("xdp")).ok()); }
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/dpdk"));
  {
    absl::StatusOr<TelemetryServer> one = StartServer(SmallSnapshot("xdp"));
    absl::StatusOr<TelemetryServer> other = StartServer(SmallSnapshot("xdp"), "twinpath-other");
    ASSERT_TRUE(one.ok() && other.ok());
    one = absl::CancelledError();
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/dpdk/" + kPrefix));
    EXPECT_TRUE(std::filesystem::exists(other->path()));
    ASSERT_EQ(mknod((folder_ + "/dpdk/twinpath-other/file").c_str(), S_IFREG | 0600, 0), 0);
  }
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/dpdk/twinpath-other/file"));
}

TEST_F(TelemetryServerTest, AFolderMayDisappearWhileAServerStarts) {
  std::atomic<bool> over = false;
  std::thread others([&over] {  // remove the folder at any time
    while (!over.load()) StartServer(SmallSnapshot("xdp"), "twinpath-other").IgnoreError();
  });
  for (int i = 0; i < 300; i++) {
    absl::StatusOr<TelemetryServer> server = StartServer(SmallSnapshot("xdp"));
    EXPECT_TRUE(server.ok()) << server.status();
    if (server.ok()) {
      EXPECT_TRUE(RawClient(path_).connected());
    }
  }
  over.store(true);
  others.join();
}

TEST_F(TelemetryServerTest, LeavesASocketThatIsNotItsOwn) {
  absl::StatusOr<TelemetryServer> server = StartServer(SmallSnapshot("xdp"));
  ASSERT_TRUE(server.ok());
  std::filesystem::rename(path_, path_ + ".old");  // so that the inode is not used again
  ASSERT_EQ(mknod(path_.c_str(), S_IFREG | 0600, 0), 0);
  server = absl::CancelledError();
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(TelemetryServerTest, RefusesThePrefixOfALiveServerAndLeavesItAlone) {
  absl::StatusOr<TelemetryServer> first = StartServer(SmallSnapshot("xdp"));
  ASSERT_TRUE(first.ok());
  const absl::Status second = StartServer(SmallSnapshot("dpdk")).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(second.message().find("process " + std::to_string(getpid())), std::string::npos)
      << second;
  absl::StatusOr<TelemetryServer> other = StartServer(SmallSnapshot("xdp"), "twinpath-other");
  EXPECT_TRUE(other.ok()) << other.status();
  RawClient client(path_);
  client.Receive();
  EXPECT_EQ(client.Ask("/nope"), "{\"/nope\":null}");
}

TEST_F(TelemetryServerTest, RefusesThePrefixOfALiveProgramThatHoldsNoLock) {
  ASSERT_TRUE(std::filesystem::create_directories(folder_ + "/dpdk/" + kPrefix));
  const FileDescriptor other(socket(AF_UNIX, SOCK_SEQPACKET, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  ASSERT_EQ(bind(other.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(other.get(), 1), 0);
  EXPECT_EQ(StartServer(SmallSnapshot("xdp")).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(TelemetryServerTest, TakesOverTheSocketOfAKilledProcess) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    absl::StatusOr<TelemetryServer> server = StartServer(SmallSnapshot("xdp"));
    const char ok = server.ok();
    if (write(ready[1], &ok, 1) != 1) _exit(1);
    while (true) pause();
  }
  char ok = 0;
  ASSERT_EQ(read(ready[0], &ok, 1), 1);
  ASSERT_EQ(ok, 1);
  EXPECT_EQ(StartServer(SmallSnapshot("xdp")).status().code(), absl::StatusCode::kAlreadyExists);
  ASSERT_EQ(kill(child, SIGKILL), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(std::filesystem::exists(path_));
  absl::StatusOr<TelemetryServer> server = StartServer(SmallSnapshot("xdp"));
  ASSERT_TRUE(server.ok()) << server.status();
  RawClient client(path_);
  EXPECT_NE(client.Receive(), "");
  close(ready[0]);
  close(ready[1]);
}

TEST_F(TelemetryServerTest, RefusesPrefixesThatAreNoFileNames) {
  for (const char* prefix : {"", "a/b", "..", ".hidden"})
    EXPECT_EQ(StartServer(SmallSnapshot("xdp"), prefix).status().code(),
              absl::StatusCode::kInvalidArgument)
        << prefix;
  EXPECT_EQ(StartServer(SmallSnapshot("xdp"), std::string(100, 'x')).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(TelemetryServerTest, CutsARequestThatIsTooLong) {
  absl::StatusOr<TelemetryServer> server = StartServer(SmallSnapshot("xdp"));
  RawClient client(path_);
  client.Receive();
  EXPECT_EQ(client.Ask("/" + std::string(100000, 'y')), "{\"/" + std::string(55, 'y') + "\":null}");
  EXPECT_EQ(client.Ask("/nope"), "{\"/nope\":null}");  // nothing of it is left over
}

TEST_F(TelemetryServerTest, AnswersAClientThatClosedItsSendingHalf) {
  absl::StatusOr<TelemetryServer> server = StartServer(SmallSnapshot("xdp"));
  RawClient client(path_);
  client.Receive();
  ASSERT_TRUE(client.Send("/nope"));
  ASSERT_EQ(shutdown(client.fd(), SHUT_WR), 0);
  EXPECT_EQ(client.Receive(), "{\"/nope\":null}");
  EXPECT_EQ(client.Receive(), "");  // and then it is disconnected
}

TEST_F(TelemetryServerTest, AClientThatDoesNotReadKeepsNobodyWaitingAndLosesNothing) {
  absl::StatusOr<TelemetryServer> server = StartServer(BigSnapshot("xdp", 100, 100, 10));
  RawClient slow(path_), quick(path_);
  size_t asked = 0;
  while (send(slow.fd(), "/twinpath/queues", 16, MSG_DONTWAIT | MSG_NOSIGNAL) == 16) ++asked;
  ASSERT_GT(asked, 10u);
  quick.Receive();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(quick.Ask("/nope"), "{\"/nope\":null}");
  slow.Receive();
  const std::string answer = slow.Receive();
  EXPECT_GT(answer.size(), 10000u);
  for (size_t i = 1; i < asked; ++i) ASSERT_EQ(slow.Receive(), answer) << i;
}

TEST_F(TelemetryServerTest, EndsAtOnceWithClientsThatDoNotRead) {
  absl::StatusOr<TelemetryServer> server = StartServer(BigSnapshot("xdp", 100, 100, 10));
  RawClient slow(path_);
  while (send(slow.fd(), "/twinpath/queues", 16, MSG_DONTWAIT | MSG_NOSIGNAL) == 16) {
  }
  const auto start = std::chrono::steady_clock::now();
  server = absl::CancelledError();
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(1000));
}

TEST_F(TelemetryServerTest, RefusesOneClientTooManyClearlyWhileAllAreBusy) {
  absl::StatusOr<TelemetryServer> server =
      StartServer(SmallSnapshot("xdp"), kPrefix, {.clients = 2, .idle = std::chrono::hours(1)});
  RawClient first(path_), second(path_), late(path_);
  EXPECT_FALSE(ordered_json::parse(second.Receive()).contains("error"));
  EXPECT_EQ(ordered_json::parse(late.Receive())["error"],
            "2 clients are connected, and all are busy");
  EXPECT_EQ(late.Receive(), "");
  const absl::Status status = TelemetryClient::Connect(kPrefix).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  first.Receive();
  EXPECT_EQ(first.Ask("/nope"), "{\"/nope\":null}");
}

TEST_F(TelemetryServerTest, GivesThePlaceOfTheClientSilentForLongestToANewOne) {
  absl::StatusOr<TelemetryServer> server =
      StartServer(SmallSnapshot("xdp"), kPrefix, {.clients = 2, .idle = milliseconds(0)});
  RawClient first(path_), second(path_);
  first.Receive();
  second.Receive();
  first.Ask("/nope");
  RawClient late(path_);
  late.Receive();
  EXPECT_EQ(late.Ask("/nope"), "{\"/nope\":null}");
  EXPECT_EQ(ordered_json::parse(second.Receive())["error"],
            "closed to make room: the most idle of 2 clients");
  EXPECT_EQ(second.Receive(), "");
  EXPECT_EQ(first.Ask("/nope"), "{\"/nope\":null}");
}

TEST_F(TelemetryServerTest, ServesOnWhileClientsComeAskGarbageAndGo) {
  absl::StatusOr<TelemetryServer> server = StartServer(BigSnapshot("xdp", 50, 50, 200));
  std::vector<std::thread> threads;
  std::atomic<int> answered = 0;
  for (unsigned seed = 1; seed <= 4; ++seed)
    threads.emplace_back([&, seed] {
      uint64_t state = seed;
      const auto draw = [&](uint64_t below) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return (state >> 33) % below;
      };
      for (int i = 0; i < 200; ++i) {
        RawClient client(path_);
        if (draw(4) == 0) continue;  // gone before the greeting
        if (draw(2)) client.Receive();
        std::string request = draw(2) ? "/twinpath/rules," : "";
        for (uint64_t n = draw(2000); n > 0; --n) request += static_cast<char>(draw(256));
        client.Send(request.empty() ? "x" : request);
        if (draw(2))
          shutdown(client.fd(), SHUT_RDWR);
        else if (!client.Receive().empty())
          ++answered;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(answered, 100);
  RawClient client(path_);
  client.Receive();
  EXPECT_EQ(client.Ask("/nope"), "{\"/nope\":null}");
}

TEST_F(TelemetryServerTest, AClientReadsBackTheSnapshotOnEitherPath) {
  for (const char* path : {"dpdk", "xdp"}) {
    const Snapshot small = SmallSnapshot(path);
    const Snapshot big = BigSnapshot(path, 300, 1000, 150);
    for (const Snapshot& snapshot : {small, big}) {
      absl::StatusOr<TelemetryServer> server = StartServer(snapshot);
      ASSERT_TRUE(server.ok()) << server.status();
      absl::StatusOr<TelemetryClient> client = TelemetryClient::Connect(kPrefix);
      ASSERT_TRUE(client.ok()) << client.status();
      absl::StatusOr<Snapshot> read = FetchSnapshot(&*client);
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(SummaryJson(*read).dump(), SummaryJson(snapshot).dump());
      ASSERT_EQ(read->rules.size(), snapshot.rules.size());
      for (size_t i = 0; i < read->rules.size(); ++i)
        ASSERT_EQ(read->rules[i].name, snapshot.rules[i].name);
      ASSERT_EQ(read->lcores.size(), snapshot.lcores.size());
      for (size_t i = 0; i < read->lcores.size(); ++i) {
        EXPECT_EQ(read->lcores[i].idle_turns, snapshot.lcores[i].idle_turns);
        EXPECT_EQ(read->lcores[i].idle, snapshot.lcores[i].idle);
        EXPECT_EQ(read->lcores[i].sleeps, snapshot.lcores[i].sleeps);
        EXPECT_EQ(read->lcores[i].slept_us, snapshot.lcores[i].slept_us);
      }
    }
  }
}

TEST_F(TelemetryServerTest, AClientReadsOnceMoreWhatChangedUnderway) {
  std::atomic<int> calls = 0;
  absl::StatusOr<TelemetryServer> server = TelemetryServer::Start(
      kPrefix, kVersion, [&] { return BigSnapshot("xdp", 1, calls++ < 5 ? 1000 : 1500, 10); });
  absl::StatusOr<TelemetryClient> client = TelemetryClient::Connect(kPrefix);
  absl::StatusOr<Snapshot> read = FetchSnapshot(&*client);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->rules.size(), 1500u);
}

TEST_F(TelemetryServerTest, AClientTellsWhatIsWrong) {
  EXPECT_EQ(TelemetryClient::Connect(kPrefix).status(),
            absl::NotFoundError("nothing runs at " + path_));
  absl::StatusOr<TelemetryServer> server = StartServer(SmallSnapshot("xdp"));
  absl::StatusOr<TelemetryClient> client = TelemetryClient::Connect(kPrefix);
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_EQ(client->Ask("/nope").status(), absl::NotFoundError(path_ + " does not know /nope"));
  EXPECT_EQ(client->Ask("/twinpath/rules,9").status().code(), absl::StatusCode::kInvalidArgument);
  server = absl::CancelledError();
  EXPECT_EQ(client->Ask("/info").status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(TelemetryServerTest, AClientTellsAProgramThatHasNoDatapathYet) {
  absl::StatusOr<TelemetryServer> server = StartServer(Snapshot());
  absl::StatusOr<TelemetryClient> client = TelemetryClient::Connect(kPrefix);
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_EQ(FetchSnapshot(&*client).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(TelemetryServerTest, AClientGivesUpOnAServerThatDoesNotAnswer) {
  ASSERT_TRUE(std::filesystem::create_directories(folder_ + "/dpdk/" + kPrefix));
  const FileDescriptor mute(socket(AF_UNIX, SOCK_SEQPACKET, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  ASSERT_EQ(bind(mute.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(mute.get(), 0), 0);
  for (int i = 0; i < 3; ++i)  // at last the queue of connections is full, too
    EXPECT_EQ(TelemetryClient::Connect(kPrefix, milliseconds(100)).status().code(),
              absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace twinpath
