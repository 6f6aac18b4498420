// The transport between machines. Rank 0 listens where all know it; gathers pass through it. Weights pass directly
// between two members, over a connection that the higher rank opens when it first has to do with the lower one.
//
// Not all members need to gather: where several are on a node, one gives the part of all (nodes.cpp). The others are known
// to rank 0 too, pass weights, and hear who is gone.
//
// One thread for each transport owns the sockets (tcp_loop.cpp). Callers and it meet in what lock_ guards: outboxes,
// the gather (tcp_gather.cpp), rooms and grants (tcp_rooms.cpp), and who is gone. The lock is never held over a system
// call that could wait.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <thread>

#include "tcp_peer.h"
#include "transport.h"

namespace plm {

constexpr uint64_t tcp_chunk_bytes = 256 << 10;  // of one data frame

// What a member that has no part in a gather can know of it.
enum class Fate { open, never, unknown };

class TcpTransport final : public Transport, private LinkOwner {
public:
    // givers: the ranks that gather, in order, rank 0 first; empty: all. layout: equal on all members, or refused.
    explicit TcpTransport(const plm_comm_opts& opts, std::vector<uint32_t> givers = {}, uint64_t layout = 0);
    ~TcpTransport() override;

    uint32_t members() const override { return count_; }
    uint64_t gather_bytes() const override { return gather_bytes_; }
    uint64_t staging_bytes() const override { return staging_bytes_; }

    void contribute(uint64_t generation, const Part* parts, uint32_t count, int64_t tag) override;
    bool collect(uint64_t generation, int64_t tag, uint64_t bytes, void* out, Deadline deadline) override;
    std::string missing(uint64_t generation) override;
    // What became of a gather that a giver who is gone may have given its part of: never, once it is known that rank 0
    // does not complete it; unknown, when it may have; open, while more may be heard.
    Fate fate(uint64_t generation, uint32_t giver);
    // At rank 0, after leave(): whether it has not completed a gather, and so never does.
    bool never_completed(uint64_t generation);

    void grant(const Parcel& from) override;
    bool granted(const Parcel& to, Deadline deadline) override;
    bool write(const Parcel& to, uint64_t offset, const void* data, uint64_t bytes, Deadline deadline) override;
    void seal(const Parcel& to, uint64_t checksum) override;
    bool sealed(const Parcel& from, uint64_t& checksum, Deadline deadline) override;
    void read(const Parcel& from, uint64_t offset, void* to, uint64_t bytes) override;
    void withdraw(const Parcel& from) override;

    void wake() override;
    void leave() override;

private:
    struct Member {
        bool joined = false;  // at rank 0: has come; elsewhere only known of rank 0
        bool open = false;    // the connection for gathers stands
        bool gone = false;    // takes part in no gather behind the last one
        bool left = false;    // and has said so
        std::string reason;
        uint64_t last = 0;  // the last gather it gave its part of, as far as is known here
        std::optional<Address> address;
        Outbox gathers;

        bool weights_wanted = false;
        Deadline wanted_since{};
        bool weights_open = false;
        std::string weights_lost;  // why no weights pass between it and this member any more
        uint64_t losses = 0;       // of a connection for weights that may be made anew
        std::string lost_last;     // why
        uint64_t exchange = 0;     // the last one that has to do with this member,
        uint64_t losses_before = 0;  // and the losses that it began with: one of its own ends it
        Outbox weights;
    };

    struct Contribution {
        bool given = false;
        int64_t tag = 0;
        Bytes data;
    };

    struct Schedule {  // what a member gave in a gather, as it travels when they are not all alike
        int64_t tag;
        uint64_t bytes;
    };

    struct Result {
        uint64_t generation = 0;
        bool unequal = false;  // payload is then a Schedule of each member
        int64_t tag = 0;
        uint64_t bytes = 0;
        std::shared_ptr<const Bytes> payload;
    };

    struct Room {  // of this member
        enum class State { granted, sealed, refused };
        State state;
        uint64_t serial;
        uint64_t exchange;
        uint32_t peer;
        uint64_t bytes;
        uint64_t digest;
        uint64_t received;
        uint64_t checksum;
        std::string refusal;
    };

    struct Grant {  // of another member's room, to this one
        uint64_t serial;
        uint64_t exchange;
        uint64_t bytes;
        uint64_t digest;
        bool refused;
        bool taken;  // granted() has said so; else a room granted anew in the middle would get the rest of the old one
    };

    struct Dial {
        uint32_t peer;
        Purpose purpose;
        Deadline next, until;
        int64_t pause_ms;
        uint32_t attempts;
        bool calling;
        std::string last;
    };

    // Under lock_.
    void kick();
    void post(uint32_t peer, Purpose purpose, Frame frame);
    void mark_gone(uint32_t rank, uint64_t last, bool left, const std::string& why);
    void lose_weights(uint32_t peer, const std::string& why);
    void drop_weights(uint32_t peer, const std::string& why);
    void require_gathers(uint64_t generation) const;
    void require_weights(uint32_t peer, const Parcel& parcel);
    std::vector<Presence> presence(uint64_t generation) const;
    void want_weights(uint32_t peer);
    Deadline rootless_until(uint32_t peer) const;
    bool pause_for(uint32_t peer, std::unique_lock<std::mutex>& hold, Deadline deadline);
    Grant& grant_of(const Parcel& to);
    void check_parcel(const Parcel& parcel) const;
    bool pause_until(std::unique_lock<std::mutex>& hold, Deadline deadline);
    bool gives(uint32_t rank) const { return place_[rank] != UINT32_MAX; }

    // The I/O thread.
    void run() noexcept;
    bool step();
    void call_those_due(Deadline now);
    void call(Dial& dial, Deadline now);
    void call_failed(uint32_t peer, Purpose purpose, const std::string& why, Verdict verdict);
    void accept_some(Deadline now);
    void each_link(const std::function<void(Link&)>& what);
    uint64_t pull(Link& link);
    void serve(Link& link, bool leaving);
    void gathers_first(const std::function<bool(Link&)>& what);
    void lose(Link& link, const std::string& why);
    void drop_overdue(Deadline now);
    int64_t next_timer_ms(Deadline now) const;
    void finish_gather();
    void on_contribution(Link& link, const Header& header, Bytes& payload);
    void on_result(const Header& header, Bytes& payload);
    void on_roster(const Bytes& payload);
    void on_who(uint32_t peer, const Header& header);
    void on_data(Link& link, const Header& header, const Bytes& payload);
    void on_seal(Link& link, const Header& header);
    void on_refuse(Link& link, const Header& header);
    void on_grant(Link& link, const Header& header);
    void on_withdraw(Link& link, const Header& header);

    const Secret& secret() const override { return secret_; }
    Hello introduce(const Link& link) override;
    Verdict examine(const Hello& hello) override;
    void confirm(Link& link) override;
    void check(const Link& link, const Header& header) override;
    void deliver(Link& link, const Header& header, Bytes& payload) override;

    const uint32_t rank_;
    const uint32_t count_;
    const int64_t group_;
    const std::vector<uint32_t> givers_;
    const std::vector<uint32_t> place_;  // of a rank among them, UINT32_MAX: it gives nothing
    const uint64_t layout_;
    const uint64_t gather_bytes_;
    const uint64_t staging_bytes_;
    const int64_t timeout_ms_;
    const std::string address_;
    const Endpoint endpoint_;
    const Secret secret_;

    std::mutex lock_;
    std::condition_variable changed_;
    std::vector<Member> members_;
    uint32_t joined_ = 0;
    std::vector<uint32_t> gone_;  // in the order in which they went
    Deadline rootless_since_{};   // when rank 0 went
    bool kicked_ = false;
    std::thread::id io_;
    bool left_ = false;
    bool stop_ = false;
    std::string broken_;      // this transport never came to work, or stopped to
    std::string last_call_;   // how the last try to reach rank 0 failed
    uint64_t turned_away_ = 0;  // connections that were not let in
    std::string last_turned_away_;
    std::vector<uint32_t> to_call_;

    uint64_t contributed_ = 0;
    uint64_t contributed_bytes_ = 0;
    uint64_t collected_ = 0;
    Result result_;
    std::vector<Contribution> meeting_;  // at rank 0: gather completed_ + 1
    uint32_t given_ = 0;
    uint64_t completed_ = 0;
    uint64_t asked_ = 0;  // of who
    uint64_t answered_ = 0;
    std::vector<Presence> answer_;

    struct Unmap {
        uint64_t bytes;
        void operator()(std::byte* at) const;
    };
    std::unique_ptr<std::byte, Unmap> staging_;
    std::map<uint32_t, Room> rooms_;                           // by tag
    std::map<std::pair<uint32_t, uint32_t>, Grant> grants_;  // by peer and tag
    uint64_t serials_ = 0;

    // The I/O thread's own.
    Socket bell_;
    Socket listener_;
    std::vector<std::unique_ptr<Link>> links_;
    std::vector<Dial> dials_;
    bool more_ = false;  // something waits for its turn, not for a socket
    Deadline accept_again_{};
    std::optional<Deadline> end_by_;
    std::thread thread_;
};

}  // namespace plm
