// SPDX-License-Identifier: BSD-3-Clause
// Generates load for TCP forwarders: clients and their server in one process, one thread each, with
// or without a forwarder between them. Prints one JSON object.
//
//   splice_bench --connect ADDRESS:PORT --serve ADDRESS:PORT --connections N --octets N
//                --seconds S goodput|latency
//
// goodput: every client writes messages of --octets bytes, one write each, and the server reads.
// Counts what the server reads after the first fifth of the time. latency: every client sends a
// message and waits until as many bytes came back, again and again. Measures these times after the
// first fifth of the time, in microseconds. "busy_s" is the CPU time of the whole machine during
// the measurement (/proc/stat), because the kernel also works for a forwarder in interrupts, in
// kernel threads and in the senders' calls.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "src/kernel/file_descriptor.h"
#include "src/splice/connect/address.h"

namespace twinpath {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  splice::Address connect, serve;
  uint64_t connections = 1, bytes = 64;
  double seconds = 1;
  bool latency = false;
};

struct Peer {
  FileDescriptor fd;
  uint64_t got = 0, put = 0;  // of the current message
  Clock::time_point sent_at = {};
};

// Seconds that the CPUs were busy since the machine started.
double Busy() {
  std::ifstream file("/proc/stat");
  std::string name;
  double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0;
  file >> name >> user >> nice >> system >> idle >> iowait >> irq >> softirq;
  return (user + nice + system + irq + softirq) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

class Load {
 public:
  explicit Load(const Options& options) : options_(options) {}

  int Run() {
    FileDescriptor listener = Listener();
    if (listener.get() < 0) return Fail("listening");
    std::vector<Peer> clients(options_.connections), served(options_.connections);
    for (size_t i = 0; i < clients.size(); i++) {
      clients[i].fd = FileDescriptor(socket(options_.connect.family(), SOCK_STREAM, 0));
      if (connect(clients[i].fd.get(), options_.connect.get(), options_.connect.size))
        return Fail("connecting");
      Prepare(clients[i].fd.get());
      served[i].fd = FileDescriptor(accept(listener.get(), nullptr, nullptr));
      if (served[i].fd.get() < 0) return Fail("accepting");
      Prepare(served[i].fd.get());
    }
    std::thread server([&] { Serve(&served); });
    Drive(&clients);
    stop_ = true;
    server.join();
    Print();
    return 0;
  }

 private:
  static int Fail(const char* what) {
    std::cerr << "splice_bench: " << what << ": " << std::strerror(errno) << "\n";
    return 1;
  }

  FileDescriptor Listener() const {
    FileDescriptor fd(socket(options_.serve.family(), SOCK_STREAM, 0));
    const int yes = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd.get(), options_.serve.get(), options_.serve.size) || listen(fd.get(), SOMAXCONN))
      return FileDescriptor();
    return fd;
  }

  static void Prepare(int fd) {
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    fcntl(fd, F_SETFL, O_NONBLOCK);
  }

  static int Watch(std::vector<Peer>* peers, uint32_t events) {
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (Peer& peer : *peers) {
      epoll_event event = {.events = events, .data = {.ptr = &peer}};
      epoll_ctl(epoll, EPOLL_CTL_ADD, peer.fd.get(), &event);
    }
    return epoll;
  }

  // Reads everything, and sends it back to measure latency.
  void Serve(std::vector<Peer>* peers) {
    const FileDescriptor epoll(Watch(peers, EPOLLIN));
    std::vector<char> buffer(512 << 10);
    while (!stop_) {
      epoll_event events[256];
      const int count = epoll_wait(epoll.get(), events, 256, 10);
      for (int i = 0; i < count; i++) {
        auto* peer = static_cast<Peer*>(events[i].data.ptr);
        const ssize_t got = recv(peer->fd.get(), buffer.data(), buffer.size(), 0);
        if (got <= 0) continue;
        if (!options_.latency) {
          received_ += static_cast<uint64_t>(got);
          continue;
        }
        for (ssize_t put = 0; put < got && !stop_;) {
          const ssize_t sent = send(peer->fd.get(), buffer.data() + put,
                                    static_cast<size_t>(got - put), MSG_NOSIGNAL);
          if (sent > 0) put += sent;
        }
      }
    }
  }

  void Drive(std::vector<Peer>* peers) {
    const FileDescriptor epoll(Watch(peers, options_.latency ? EPOLLIN : EPOLLOUT));
    std::vector<char> buffer(std::max<uint64_t>(options_.bytes, 512 << 10), 'x');
    const auto start = Clock::now();
    const auto duration = std::chrono::duration<double>(options_.seconds);
    const auto counted_from = start + std::chrono::duration_cast<Clock::duration>(duration / 5);
    const auto end = start + std::chrono::duration_cast<Clock::duration>(duration);
    if (options_.latency)
      for (Peer& peer : *peers) Send(&peer, buffer, Clock::now());
    bool counts = false;
    for (auto now = Clock::now(); now < end; now = Clock::now()) {
      if (!counts && now >= counted_from) {
        counts = true;
        from_ = now;
        busy_ = -Busy();
        received_before_ = received_;
        times_.clear();
      }
      epoll_event events[256];
      const int count = epoll_wait(epoll.get(), events, 256, 10);
      for (int i = 0; i < count; i++) {
        auto* peer = static_cast<Peer*>(events[i].data.ptr);
        if (options_.latency)
          Receive(peer, &buffer);
        else
          Send(peer, buffer, now);
      }
    }
    seconds_ = std::chrono::duration<double>(Clock::now() - from_).count();
    busy_ += Busy();
    received_after_ = received_;
  }

  // Sends a message, or the rest of it.
  void Send(Peer* peer, const std::vector<char>& buffer, Clock::time_point now) {
    if (peer->put == 0) peer->sent_at = now;
    for (int turn = 0; turn < 16; turn++) {
      const ssize_t sent =
          send(peer->fd.get(), buffer.data(), options_.bytes - peer->put, MSG_NOSIGNAL);
      if (sent <= 0) return;
      peer->put += static_cast<uint64_t>(sent);
      if (peer->put < options_.bytes) continue;
      peer->put = 0;
      if (options_.latency) return;
    }
  }

  void Receive(Peer* peer, std::vector<char>* buffer) {
    const ssize_t got = recv(peer->fd.get(), buffer->data(), buffer->size(), 0);
    if (got <= 0) return;
    peer->got += static_cast<uint64_t>(got);
    if (peer->put != 0) Send(peer, *buffer, peer->sent_at);
    if (peer->got < options_.bytes) return;
    const auto now = Clock::now();
    times_.push_back(
        static_cast<float>(std::chrono::duration<double, std::micro>(now - peer->sent_at).count()));
    peer->got = 0;
    Send(peer, *buffer, now);
  }

  void Print() {
    std::cout << "{\"seconds\": " << seconds_ << ", \"busy_s\": " << busy_;
    if (options_.latency) {
      std::sort(times_.begin(), times_.end());
      const auto quantile = [&](double q) {
        if (times_.empty()) return 0.0f;
        return times_[std::min(times_.size() - 1,
                               static_cast<size_t>(q * static_cast<double>(times_.size())))];
      };
      std::cout << ", \"messages\": " << times_.size()
                << ", \"octets\": " << 2 * times_.size() * options_.bytes
                << ", \"p50_us\": " << quantile(0.5) << ", \"p99_us\": " << quantile(0.99)
                << ", \"p999_us\": " << quantile(0.999);
    } else {
      std::cout << ", \"octets\": " << received_after_ - received_before_;
    }
    std::cout << "}\n";
  }

  const Options options_;
  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> received_ = 0;
  uint64_t received_before_ = 0, received_after_ = 0;
  Clock::time_point from_ = {};
  double seconds_ = 0, busy_ = 0;
  std::vector<float> times_;
};

int Main(int argc, char** argv) {
  Options options;
  std::string connect, serve, what;
  CLI::App app("Load for TCP forwarders");
  app.add_option("--connect", connect)->required();
  app.add_option("--serve", serve)->required();
  app.add_option("--connections", options.connections);
  app.add_option("--octets", options.bytes)->check(CLI::Range(1, 1 << 19));
  app.add_option("--seconds", options.seconds);
  app.add_option("what", what)->required()->check(CLI::IsMember({"goodput", "latency"}));
  CLI11_PARSE(app, argc, argv);
  const auto to = splice::ParseAddress("--connect", connect);
  const auto from = splice::ParseAddress("--serve", serve);
  if (!to.ok() || !from.ok()) return 2;
  options.connect = *to;
  options.serve = *from;
  options.latency = what == "latency";
  return Load(options).Run();
}

}  // namespace
}  // namespace twinpath

int main(int argc, char** argv) { return twinpath::Main(argc, argv); }
