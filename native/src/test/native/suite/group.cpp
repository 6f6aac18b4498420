#include "group.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

plm_vote vote_of(int32_t epoch, uint8_t level, int64_t plan_hash) {
    plm_vote vote{};
    vote.incarnation = 7;
    vote.epoch = level > 0 ? epoch : 0;
    vote.batch = level > 0 ? 1 : 0;
    vote.level = level;
    vote.plan_hash = level > 0 ? plan_hash : 0;
    return vote;
}

Rank::Rank(Machine& machine, const GroupShape& shape, uint32_t number, const std::string& directory, uint64_t group,
           const std::vector<uint8_t>& comm_id)
    : engine(machine, number), rank(number), shape_(shape), totals_(shape.words(), shape.base) {
    move();
    const std::string segment = directory + "/segment-" + std::to_string(group);
    if (shape.gather != PLM_GATHER_NONE) {
        plm_comm_opts opts{};
        opts.size = sizeof opts;
        opts.transport = shape.gather == PLM_GATHER_DEVICE ? PLM_TRANSPORT_DEVICE : PLM_TRANSPORT_NODE;
        opts.members = shape.ranks;
        opts.rank = rank;
        opts.group = static_cast<int64_t>(group);
        opts.gather_bytes = 32 + 8 * shape.lone_words();
        opts.timeout_ms = shape.timeout_ms;
        opts.address = segment.c_str();
        opts.id = comm_id.data();
        opts.id_bytes = static_cast<uint32_t>(comm_id.size());
        if (shape.nodes != nullptr) {
            shape.nodes->join(opts);
        }
        OK(plm_comm_open(engine.runtime(), &opts, &comm));
    }
    plm_ring_opts opts{};
    opts.size = sizeof opts;
    opts.rank = rank;
    opts.ranks = shape.ranks;
    opts.layers = shape.layers;
    opts.slots_per_rank = shape.slots;
    opts.boundary_steps = K;
    opts.gather = shape.gather;
    opts.depth = shape.depth;
    opts.flags = shape.flags;
    opts.incarnation = 7;
    opts.timeout_ms = shape.timeout_ms;
    const std::vector<plm_segment> all = segments();
    if (shape.publishes) {
        file = directory + "/heat-" + std::to_string(group) + "-" + std::to_string(number);
    }
    OK(plm_ring_create(engine.runtime(), comm, file.empty() ? nullptr : file.c_str(), "suite", &opts, all.data(), static_cast<uint32_t>(all.size()),
                       &ring));
}

int32_t Rank::published_peer() const {
    constexpr off_t word = 512 + 15 * 8;  // heat_file.h: the last of the rank's state
    int64_t peer = 0;
    const int opened = open(file.c_str(), O_RDONLY | O_CLOEXEC);
    CHECK(opened >= 0 && pread(opened, &peer, sizeof peer, word) == sizeof peer);
    ::close(opened);
    return static_cast<int32_t>(peer) - 1;
}

void Rank::move() {
    load_ = engine.allocate(shape_.cells() * shape_.element_bytes, "load counters");
    routed_ = shape_.routed ? engine.allocate(shape_.layers * 8ULL, "routed counters") : 0;
    write_counters();
    if (ring != 0) {
        const std::vector<plm_segment> all = segments();
        OK(plm_ring_rebind(ring, all.data(), static_cast<uint32_t>(all.size())));
    }
}

std::vector<plm_segment> Rank::segments() const {
    std::vector<plm_segment> all;
    const uint64_t layer_bytes = shape_.row() * shape_.element_bytes;
    // Backwards, because the order of segments must not matter.
    for (uint32_t i = shape_.segment_per_layer ? shape_.layers : 1; i-- > 0;) {
        all.push_back({load_ + i * layer_bytes, shape_.kind, shape_.element_bytes, i,
                       shape_.segment_per_layer ? 1 : shape_.layers});
    }
    if (shape_.routed) {
        all.push_back({routed_, PLM_SEGMENT_ROUTED, 8, 0, shape_.layers});
    }
    return all;
}

void Rank::write_counters() {
    if (shape_.element_bytes == 8) {
        engine.write(load_, totals_.data(), shape_.cells() * 8);
    } else {
        std::vector<uint32_t> narrow(shape_.cells());
        for (uint64_t i = 0; i < narrow.size(); i++) {
            narrow[i] = static_cast<uint32_t>(totals_[i]);
        }
        engine.write(load_, narrow.data(), narrow.size() * 4);
    }
    if (shape_.routed) {
        engine.write(routed_, totals_.data() + shape_.cells(), shape_.layers * 8ULL);
    }
}

void Rank::count(Random& random) {
    for (int64_t steps = random.in(0, 2); steps > 0; steps--) {
        for (int64_t& total : totals_) {
            total += random.in(0, 1000);
        }
        write_counters();
    }
}

void Rank::set_counters(int64_t value) {
    totals_.assign(totals_.size(), value);
    write_counters();
}

plm_verdict Rank::begin(int64_t step, int64_t timeout_ms) {
    plm_verdict verdict{};
    verdict.size = sizeof verdict;
    OK(plm_boundary_begin(ring, engine.stream(), step, timeout_ms, &verdict));
    expected[step] = totals_;
    if (!shape_.routed) {
        std::fill(expected[step].begin() + static_cast<int64_t>(shape_.cells()), expected[step].end(), 0);
    }
    return verdict;
}

void Rank::end(const plm_vote& vote) { OK(plm_boundary_end(ring, &vote)); }

plm_ring_counts Rank::stats() const {
    plm_ring_counts counts{};
    counts.size = sizeof counts;
    OK(plm_ring_stats(ring, &counts));
    return counts;
}

void Rank::close(bool leaks_nothing) {
    engine.synchronize();
    // Where others have left, the gathers under way are waited for in vain.
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    int32_t status;
    while ((status = plm_ring_destroy(ring, leaks_nothing ? 20'000 : 1)) == PLM_E_TIMEOUT) {
        CHECK(std::chrono::steady_clock::now() < limit);
    }
    CHECK(status == PLM_OK);
    if (!file.empty()) {
        unlink(file.c_str());
    }
    if (comm != 0) {
        OK(plm_comm_close(comm, 20'000));
    }
    engine.close();
}

uint64_t new_group() {
    static std::atomic<uint64_t> next{
        static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count())};
    return next.fetch_add(1);
}

std::vector<uint8_t> new_comm_id(Machine& machine, uint32_t transport) {
    if (transport != PLM_TRANSPORT_DEVICE) {
        return {};
    }
    Engine first(machine, 0);
    std::vector<uint8_t> id(8192);
    uint32_t bytes = 0;
    OK(plm_comm_id(first.runtime(), id.data(), static_cast<uint32_t>(id.size()), &bytes));
    id.resize(bytes);
    first.close();
    return id;
}

Group::Group(Machine& on, const GroupShape& of, const std::string& directory) : machine(on), shape(of) {
    const std::vector<uint8_t> id =
        new_comm_id(machine, shape.gather == PLM_GATHER_DEVICE ? PLM_TRANSPORT_DEVICE : PLM_TRANSPORT_NODE);
    const uint64_t group = new_group();
    for (uint32_t rank = 0; rank < shape.ranks; rank++) {
        ranks.push_back(std::make_unique<Rank>(machine, shape, rank, directory, group, id));
    }
    unlink((directory + "/segment-" + std::to_string(group)).c_str());  // all have joined
}

void Group::settle() {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (true) {
        bool idle = true;
        for (auto& rank : ranks) {
            const int32_t status = plm_ring_poll(rank->ring);
            CHECK(status == PLM_OK || status == PLM_PENDING);
            idle = idle && status == PLM_OK;
        }
        if (idle) {
            return;
        }
        CHECK_TEXT(std::chrono::steady_clock::now() < limit, "boundaries are in flight for ever");
    }
}

std::vector<int64_t> Group::counted(uint32_t of, int64_t step, bool gathered) const {
    const auto at = [&](uint32_t rank) -> const std::vector<int64_t>& {
        const auto found = ranks[rank]->expected.find(step);
        CHECK_TEXT(found != ranks[rank]->expected.end(), "rank " + std::to_string(of) + " is shown at step " +
                                                             std::to_string(step) + ", where rank " +
                                                             std::to_string(rank) + " never was");
        return found->second;
    };
    const std::vector<int64_t>& own = at(of);
    if (shape.kind == PLM_SEGMENT_LOAD || (shape.kind == PLM_SEGMENT_ROUTED_TO && !gathered)) {
        return own;
    }
    std::vector<int64_t> words(shape.computed_words());
    for (uint32_t source = 0; source < shape.ranks; source++) {
        if (shape.kind == PLM_SEGMENT_REPLICATED && source != of) {
            continue;
        }
        const std::vector<int64_t>& sent = at(source);
        for (uint32_t layer = 0; layer < shape.layers; layer++) {
            for (uint32_t slot = 0; slot < shape.slots; slot++) {
                words[layer * shape.slots + slot] += sent[layer * shape.row() + of * shape.slots + slot];
            }
        }
    }
    std::copy(own.end() - shape.layers, own.end(), words.end() - shape.layers);
    return words;
}

int64_t Group::look(uint32_t number, bool keep) {
    Rank& reader = *ranks[number];
    plm_snapshot snapshot{};
    snapshot.size = sizeof snapshot;
    const int32_t status = plm_slot_acquire(reader.ring, &snapshot);
    CHECK(status == PLM_OK || status == PLM_PENDING);
    if (status == PLM_PENDING) {
        return -1;
    }
    const bool gathered = shape.gather != PLM_GATHER_NONE && snapshot.words_per_rank == 4 + shape.computed_words() &&
                          snapshot.ranks == shape.ranks;
    CHECK(snapshot.words_per_rank == 4 + (gathered ? shape.computed_words() : shape.lone_words()));
    last_valid.assign(shape.ranks, false);
    last_mixed.assign(shape.ranks, false);
    last_resets = snapshot.resets;
    for (uint32_t i = 0; i < snapshot.ranks; i++) {
        const int64_t* words = snapshot.words + uint64_t{i} * snapshot.words_per_rank;
        const uint32_t of = snapshot.first_rank + i;
        plm_vote vote;
        std::memcpy(&vote, words, sizeof vote);
        const bool valid = (vote.flags & PLM_VOTE_HEAT_VALID) != 0;
        last_valid[of] = valid;
        last_mixed[of] = (vote.flags & PLM_VOTE_MIXED) != 0;
        const std::vector<int64_t> known = counted(of, snapshot.step, gathered);
        for (uint64_t cell = 0; cell < known.size(); cell++) {
            const int64_t wanted = valid ? known[cell] : 0;
            CHECK_TEXT(words[4 + cell] == wanted, "rank " + std::to_string(of) + " at step " +
                                                      std::to_string(snapshot.step) + ", word " + std::to_string(cell) +
                                                      " is " + std::to_string(words[4 + cell]) + ", was counted as " +
                                                      std::to_string(wanted));
        }
    }
    looked++;
    if (keep) {
        kept_.push_back({number, snapshot, {snapshot.words, snapshot.words + snapshot.ranks * snapshot.words_per_rank}});
    } else {
        OK(plm_slot_release(reader.ring, snapshot.step));
    }
    return snapshot.step;
}

void Group::goes_on_alone(uint32_t number, int64_t step, Random& random) {
    Rank& rank = *ranks[number];
    // A boundary of its own can time out as well where the machine is slow: another one then does.
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (true) {
        CHECK_TEXT(std::chrono::steady_clock::now() < limit, "a rank does not get on without its group");
        rank.count(random);
        const bool alone = rank.stats().gather == PLM_GATHER_NONE;
        const plm_verdict verdict = rank.begin(step);
        CHECK(!alone || verdict.outcome == PLM_OUTCOME_FAILED || verdict.outcome == PLM_OUTCOME_UNDECIDED);
        const bool grouped = rank.stats().gather != PLM_GATHER_NONE;
        rank.end(vote_of(0, 0));
        const int32_t status = plm_ring_wait(rank.ring, step, 20'000);
        const int64_t shown = look(number);
        const plm_ring_counts counts = rank.stats();
        if (!grouped && status == PLM_OK && shown == step) {
            CHECK(counts.gather == PLM_GATHER_NONE && counts.alone > 0);
            return;
        }
        CHECK(!grouped || status < 0);
        step += K;
    }
}

void Group::give_back(uint32_t rank, int64_t step) {
    for (const Kept& kept : kept_) {
        if (kept.rank == rank && kept.snapshot.step == step) {
            CHECK_TEXT(std::equal(kept.words.begin(), kept.words.end(), kept.snapshot.words),
                       "a snapshot has changed while it was taken");
            OK(plm_slot_release(ranks[rank]->ring, step));
        }
    }
}

void Group::close(bool leaks_nothing) {
    for (auto& rank : ranks) {
        rank->close(leaks_nothing);
    }
}
