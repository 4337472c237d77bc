// SPDX-License-Identifier: BSD-3-Clause
// Both ends of many TCP connections through a forwarder, in one process, to compare what each
// connection sent and received. One thread runs all clients, another the server.
//
//   splice_load --connect ADDRESS:PORT --serve ADDRESS:PORT [--connections N] [--at-once N]
//               [--max-octets N] [--seed N]
//
// Every connection carries a stream of random bytes each way, of a random length from 0 to
// --max-octets. An end reads and writes in pieces of random size, pauses at random, sends its FIN
// at once or later, and may write all before it reads (clients) or read all before it writes (the
// server): half-closes in either direction, and a peer that does not read. Both ends hash both
// streams (SHA-256). Prints one JSON object. Exit status 1 if a stream did not arrive as it was
// sent, or if a connection broke.

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "src/kernel/file_descriptor.h"
#include "src/policy/random.h"
#include "src/splice/connect/address.h"

namespace twinpath {
namespace {

using Clock = std::chrono::steady_clock;
using Random = std::mt19937_64;
using std::chrono::milliseconds;

constexpr size_t kBuffer = 256 << 10;
constexpr auto kSilence = std::chrono::seconds(30);  // no traffic for so long means a hang

struct Options {
  splice::Address connect, serve;
  uint64_t connections = 100, at_once = 50, max_bytes = 16 << 20, seed = 1;
};

class Hash {
 public:
  Hash() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }
  Hash(const Hash&) = delete;
  ~Hash() { EVP_MD_CTX_free(context_); }
  void Add(const void* data, size_t size) { EVP_DigestUpdate(context_, data, size); }
  std::string Finish() {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), &size);
    digest.resize(size);
    return digest;
  }

 private:
  EVP_MD_CTX* context_;
};

// What one side knows about the streams. A stream begins with its sender's number, by which both
// ends are compared. Empty streams are only counted.
struct Side {
  std::map<uint64_t, std::string> sent, received;  // number of the sender -> digest
  uint64_t empty_sent = 0, empty_received = 0, bytes_sent = 0, broken = 0, ended = 0;
  std::string first_error;
};

class Peer {
 public:
  Peer(FileDescriptor fd, uint64_t number, bool client, const Options& options)
      : fd_(std::move(fd)), number_(number), client_(client), random_(options.seed * 2 + client) {
    random_.discard(0);
    std::seed_seq seed{options.seed, number, uint64_t{client}};
    random_.seed(seed);
    if (Chance(0.95)) {
      // Draws the logarithm of the length: many short streams and a few long ones.
      const double u = std::uniform_real_distribution<>(0, 1)(random_);
      length_ =
          static_cast<uint64_t>(std::exp(u * u * std::log(static_cast<double>(options.max_bytes))));
      if (number % 100 == 0) length_ = options.max_bytes;
      length_ = std::max(length_, sizeof(number_));
    }
    one_thing_first_ = Chance(0.2);
    lively_ = Chance(0.7);
  }

  int fd() const { return fd_.get(); }
  bool done() const { return broken_ || (ended_ && fin_sent_); }
  Clock::time_point pause_until() const { return pause_until_; }

  uint32_t Interest() const {
    const bool reads = !ended_ && !(client_ && one_thing_first_ && !fin_sent_);
    const bool writes = !fin_sent_ && !(!client_ && one_thing_first_ && !ended_);
    return (reads ? EPOLLIN : 0u) | (writes ? EPOLLOUT : 0u);
  }

  void Step(uint32_t events, std::vector<char>* buffer, Clock::time_point now) {
    const uint32_t wanted = Interest();
    if (events & EPOLLERR) return Break("an error");
    if ((events & (EPOLLIN | EPOLLHUP)) && (wanted & EPOLLIN)) Read(buffer);
    if ((events & EPOLLOUT) && (wanted & EPOLLOUT) && !broken_) Write(buffer);
    if (!lively_ && Chance(0.05)) pause_until_ = now + milliseconds(random_() % 20);
    if (!lively_ && Chance(0.001)) pause_until_ = now + milliseconds(300);
  }

  void Report(Side* side) {
    side->ended++;
    side->bytes_sent += sent_;
    if (broken_) {
      side->broken++;
      if (side->first_error.empty()) side->first_error = error_;
      return;
    }
    if (length_ == 0)
      side->empty_sent++;
    else
      side->sent[number_] = sent_hash_.Finish();
    if (received_ == 0)
      side->empty_received++;
    else
      side->received[their_number_] = received_hash_.Finish();
  }

 private:
  bool Chance(double p) { return std::uniform_real_distribution<>(0, 1)(random_) < p; }
  size_t Piece() { return lively_ ? kBuffer : 1 + random_() % (Chance(0.1) ? 100000 : 3000); }

  void Break(const std::string& what) {
    broken_ = true;
    error_ = std::string(client_ ? "client " : "server ") + std::to_string(number_) + ": " + what +
             " after " + std::to_string(sent_) + " of " + std::to_string(length_) + " sent and " +
             std::to_string(received_) + " received: " + std::strerror(errno);
  }

  void Read(std::vector<char>* buffer) {
    const ssize_t got = recv(fd(), buffer->data(), std::min(Piece(), buffer->size()), 0);
    if (got < 0 && errno != EAGAIN) return Break("receiving");
    if (got == 0) ended_ = true;
    if (got <= 0) return;
    const auto size = static_cast<size_t>(got);
    for (size_t i = 0; i < size && received_ + i < sizeof(their_number_); i++)
      their_number_ |= uint64_t{static_cast<uint8_t>((*buffer)[i])} << (8 * (received_ + i));
    received_ += size;
    received_hash_.Add(buffer->data(), size);
  }

  // The stream's bytes from the word that `sent_` is in: the number, then random words.
  void Fill(std::vector<char>* buffer, size_t size) const {
    uint64_t word = sent_ / 8;
    for (size_t at = 0; at < size; at += 8, word++) {
      const uint64_t value = word == 0 ? number_ : tp_word(number_, client_, word);
      std::memcpy(buffer->data() + at, &value, 8);
    }
  }

  void Write(std::vector<char>* buffer) {
    if (sent_ < length_) {
      const size_t skip = sent_ % 8;
      const size_t size = std::min({Piece(), kBuffer - 16, length_ - sent_});
      Fill(buffer, skip + size);
      const ssize_t put = send(fd(), buffer->data() + skip, size, MSG_NOSIGNAL);
      if (put < 0 && errno != EAGAIN) return Break("sending");
      if (put <= 0) return;
      sent_hash_.Add(buffer->data() + skip, static_cast<size_t>(put));
      sent_ += static_cast<uint64_t>(put);
    }
    // Sends the FIN at once, or a while after the last byte.
    if (sent_ < length_ || (!lively_ && Chance(0.5))) return;
    fin_sent_ = true;
    if (shutdown(fd(), SHUT_WR)) Break("shutdown");
  }

  FileDescriptor fd_;
  const uint64_t number_;
  const bool client_;
  Random random_;
  uint64_t length_ = 0, sent_ = 0, received_ = 0, their_number_ = 0;
  bool one_thing_first_ = false, lively_ = false;
  bool fin_sent_ = false, ended_ = false, broken_ = false;
  std::string error_;
  Clock::time_point pause_until_ = {};
  Hash sent_hash_, received_hash_;
};

// Serves peers until all of them have ended.
class Crowd {
 public:
  Crowd(const Options& options, bool client)
      : options_(options),
        client_(client),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        buffer_(kBuffer) {}

  Side Run(int listener, const std::atomic<bool>* stop) {
    Clock::time_point news = Clock::now();
    while (side_.ended < options_.connections && !(stop && *stop && peers_.empty())) {
      Arrive(listener);
      epoll_event events[256];
      const int count = epoll_wait(epoll_.get(), events, 256, 2);
      const Clock::time_point now = Clock::now();
      if (count > 0) news = now;
      for (int i = 0; i < count; i++) {
        const auto found = peers_.find(events[i].data.fd);
        if (found == peers_.end()) continue;
        Peer& peer = *found->second;
        peer.Step(events[i].events, &buffer_, now);
        Watch(&peer, EPOLL_CTL_MOD, now);
        if (peer.done()) Remove(found->first);
      }
      while (!paused_.empty() && paused_.begin()->first <= now) {
        const auto found = peers_.find(paused_.begin()->second);
        paused_.erase(paused_.begin());
        if (found != peers_.end()) Watch(found->second.get(), EPOLL_CTL_MOD, now);
        news = now;
      }
      if (now - news > kSilence) {
        side_.first_error = std::string(client_ ? "clients" : "the server") + ": " +
                            std::to_string(peers_.size()) + " connections hang";
        side_.broken += peers_.size();
        break;
      }
    }
    return std::move(side_);
  }

 private:
  void Arrive(int listener) {
    while (peers_.size() < options_.at_once || !client_) {
      if (client_ && next_ == options_.connections) return;
      FileDescriptor fd(client_ ? socket(options_.connect.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)
                                : accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
      if (fd.get() < 0) return;
      if (client_ && connect(fd.get(), options_.connect.get(), options_.connect.size)) {
        side_.first_error = std::string("connect: ") + std::strerror(errno);
        side_.broken++;
        side_.ended++;
        next_++;
        continue;
      }
      fcntl(fd.get(), F_SETFL, O_NONBLOCK);
      auto peer = std::make_unique<Peer>(std::move(fd), next_++, client_, options_);
      Watch(peer.get(), EPOLL_CTL_ADD, Clock::now());
      peers_[peer->fd()] = std::move(peer);
    }
  }

  void Watch(Peer* peer, int operation, Clock::time_point now) {
    const bool paused = peer->pause_until() > now;
    if (paused) paused_.emplace(peer->pause_until(), peer->fd());
    epoll_event event = {.events = paused ? 0 : peer->Interest(), .data = {.fd = peer->fd()}};
    epoll_ctl(epoll_.get(), operation, peer->fd(), &event);
  }

  void Remove(int fd) {
    const auto found = peers_.find(fd);
    found->second->Report(&side_);
    peers_.erase(found);
  }

  const Options& options_;
  const bool client_;
  const FileDescriptor epoll_;
  std::vector<char> buffer_;
  std::map<int, std::unique_ptr<Peer>> peers_;
  std::multimap<Clock::time_point, int> paused_;
  uint64_t next_ = 0;
  Side side_;
};

// The number of streams that did not arrive as they were sent.
uint64_t Different(const std::map<uint64_t, std::string>& sent,
                   const std::map<uint64_t, std::string>& received) {
  uint64_t different = received.size() > sent.size() ? received.size() - sent.size() : 0;
  for (const auto& [number, digest] : sent) {
    const auto found = received.find(number);
    different += found == received.end() || found->second != digest;
  }
  return different;
}

int Run(const Options& options) {
  FileDescriptor listener(
      socket(options.serve.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int yes = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (bind(listener.get(), options.serve.get(), options.serve.size) ||
      listen(listener.get(), SOMAXCONN)) {
    std::cerr << "splice_load: listening: " << std::strerror(errno) << "\n";
    return 2;
  }
  const auto start = Clock::now();
  std::atomic<bool> stop = false;
  Side server;
  std::thread thread([&] { server = Crowd(options, false).Run(listener.get(), &stop); });
  const Side client = Crowd(options, true).Run(-1, nullptr);
  stop = client.broken != 0;  // a broken client may never have reached the server
  thread.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const uint64_t different =
      Different(client.sent, server.received) + Different(server.sent, client.received);
  const bool well = different == 0 && client.broken == 0 && server.broken == 0 &&
                    client.empty_sent == server.empty_received &&
                    server.empty_sent == client.empty_received &&
                    client.ended == options.connections && server.ended == options.connections;
  std::cout << "{\"connections\": " << client.ended << ", \"served\": " << server.ended
            << ", \"up\": " << client.bytes_sent << ", \"down\": " << server.bytes_sent
            << ", \"different\": " << different << ", \"broken\": " << client.broken + server.broken
            << ", \"seconds\": " << seconds << "}\n";
  for (const Side* side : {&client, static_cast<const Side*>(&server)})
    if (!side->first_error.empty()) std::cerr << "splice_load: " << side->first_error << "\n";
  return well ? 0 : 1;
}

int Main(int argc, char** argv) {
  Options options;
  std::string connect, serve;
  CLI::App app("Many TCP connections through a forwarder, compared at both ends");
  app.add_option("--connect", connect)->required();
  app.add_option("--serve", serve)->required();
  app.add_option("--connections", options.connections);
  app.add_option("--at-once", options.at_once);
  app.add_option("--max-octets", options.max_bytes);
  app.add_option("--seed", options.seed);
  CLI11_PARSE(app, argc, argv);
  const auto to = splice::ParseAddress("--connect", connect);
  const auto from = splice::ParseAddress("--serve", serve);
  if (!to.ok() || !from.ok()) return 2;
  options.connect = *to;
  options.serve = *from;
  return Run(options);
}

}  // namespace
}  // namespace twinpath

int main(int argc, char** argv) { return twinpath::Main(argc, argv); }
