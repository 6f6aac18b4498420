#include "fleet.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace {

constexpr int64_t incarnation = 7;

template <class T>
void append(std::vector<uint8_t>& record, const T& words) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&words);
    record.insert(record.end(), bytes, bytes + sizeof words);
}

uint32_t expert_in(int32_t held) { return static_cast<uint32_t>(held < 0 ? ~held : held); }

}  // namespace

std::vector<uint8_t> tensor_of(uint32_t layer, uint32_t expert, size_t tensor, uint64_t bytes, uint32_t generation) {
    Random random(generation * 10'000'019ULL + layer * 1'000'003ULL + expert * 1009ULL + tensor + 1);
    std::vector<uint8_t> all(bytes);
    for (uint8_t& byte : all) {
        byte = static_cast<uint8_t>(random.next());
    }
    return all;
}

plm_order order_of(uint16_t kind, int64_t number, const Decision& decision) {
    plm_order order{};
    order.size = sizeof order;
    order.kind = kind;
    order.incarnation = incarnation;
    order.term = 1;
    order.number = number;
    order.epoch = decision.epoch;
    order.based_on = decision.based_on;
    order.plan_hash = decision.plan_hash;
    order.refusal = PLM_REFUSAL_NONE;
    return order;
}

Served::Served(Context& context, const FleetShape& shape, Rank& of, const std::string& directory, int64_t group,
               const std::vector<uint8_t>& comm_id, const std::vector<uint64_t>& tensor_bytes, const Map& placement,
               int64_t manifest)
    : rank(of), map(placement), context_(context), shape_(shape), tensor_bytes_(tensor_bytes) {
    const bool engine_moves = (shape.flags & PLM_RANK_ENGINE_MOVES) != 0;
    uint64_t expert_bytes = 0;
    for (const uint64_t bytes : tensor_bytes) {
        expert_bytes += bytes;
    }
    const std::string segment = directory + "/weights-" + std::to_string(group);
    plm_comm_opts comm_opts{};
    comm_opts.size = sizeof comm_opts;
    comm_opts.transport = shape.transport;
    comm_opts.members = shape.group.ranks;
    comm_opts.rank = rank.rank;
    comm_opts.group = group;
    comm_opts.staging_bytes = expert_bytes * shape.staged;
    comm_opts.timeout_ms = shape.transfer_timeout_ms;
    comm_opts.address = segment.c_str();
    comm_opts.id = comm_id.data();
    comm_opts.id_bytes = static_cast<uint32_t>(comm_id.size());
    if (shape.nodes != nullptr) {
        shape.nodes->join(comm_opts);
    }
    OK(plm_comm_open(rank.engine.runtime(), &comm_opts, &comm));
    mailbox_path = directory + "/orders-" + std::to_string(group) + "-" + std::to_string(rank.rank);
    OK(plm_mailbox_open(mailbox_path.c_str(), shape.mailbox_bytes, &mailbox));
    OK(plm_mailbox_open(mailbox_path.c_str(), shape.mailbox_bytes, &writer_));
    plm_agent_opts opts{};
    opts.size = sizeof opts;
    opts.flags = shape.flags;
    opts.experts = shape.experts;
    opts.placement = placement.data();
    opts.flip_timeout_ms = shape.flip_timeout_ms;
    opts.manifest = manifest;
    opts.user = reinterpret_cast<uint64_t>(this);
    std::vector<plm_weights> weights;
    if (!engine_moves) {
        opts.flip = on_flip;
        opts.staging_bytes = expert_bytes * shape.staged;
        if (!shape.own_staging) {
            opts.staging_address = rank.engine.allocate(opts.staging_bytes, "staging memory");
        }
        for (uint32_t layer = 0; layer < shape.group.layers; layer++) {
            for (const uint64_t bytes : tensor_bytes) {
                memory_.push_back(rank.engine.allocate(bytes * shape.group.slots, "weights"));
            }
        }
        weights = tensors();
    }
    OK(plm_agent_open(rank.ring, comm, mailbox, &opts, weights.data(), static_cast<uint32_t>(weights.size()), &agent));
    fill(placement);
}

std::vector<plm_weights> Served::tensors() const {
    std::vector<plm_weights> all;
    for (size_t i = 0; i < memory_.size(); i++) {
        const uint64_t bytes = tensor_bytes_[i % tensor_bytes_.size()];
        all.push_back({memory_[i], bytes, bytes, static_cast<uint32_t>(i / tensor_bytes_.size()), 0});
    }
    return all;
}

void Served::fill(const Map& placement) {
    const uint32_t slots = shape_.group.slots;
    for (uint32_t layer = 0; !memory_.empty() && layer < shape_.group.layers; layer++) {
        for (uint32_t slot = 0; slot < slots; slot++) {
            write_expert(layer, slot,
                         expert_in(placement[(layer * shape_.group.ranks + rank.rank) * slots + slot]));
        }
    }
}

void Served::write_expert(uint32_t layer, uint32_t local_slot, uint32_t expert) {
    for (size_t i = 0; i < tensor_bytes_.size(); i++) {
        const std::vector<uint8_t> bytes = tensor_of(layer, expert, i, tensor_bytes_[i], generation);
        rank.engine.write(memory_[layer * tensor_bytes_.size() + i] + local_slot * bytes.size(), bytes.data(),
                          bytes.size());
    }
}

void Served::move_weights() {
    for (size_t i = 0; i < memory_.size(); i++) {
        memory_[i] = rank.engine.allocate(tensor_bytes_[i % tensor_bytes_.size()] * shape_.group.slots, "weights");
    }
    fill(map);
}

void Served::load(uint32_t of) {
    generation = of;
    fill(map);
}

void Served::check_weights(const Map& expected) {
    rank.engine.synchronize();
    for (const Probe& probe : probes_) {
        const std::vector<uint8_t> found = tensor_of(probe.layer, probe.expert, 0, tensor_bytes_[0], probe.generation);
        CHECK_TEXT(std::equal(found.begin(), found.end(), reinterpret_cast<const uint8_t*>(probe.address)),
                   "a slot was routed to before its weights were there");
    }
    probes_.clear();
    const uint32_t slots = shape_.group.slots;
    for (size_t i = 0; i < memory_.size(); i++) {
        const auto layer = static_cast<uint32_t>(i / tensor_bytes_.size());
        const uint64_t bytes = tensor_bytes_[i % tensor_bytes_.size()];
        const std::vector<uint8_t> found = rank.engine.read(memory_[i], bytes * slots);
        for (uint32_t slot = 0; slot < slots; slot++) {
            const uint32_t expert = expert_in(expected[(layer * shape_.group.ranks + rank.rank) * slots + slot]);
            CHECK_TEXT(std::equal(found.begin() + static_cast<int64_t>(slot * bytes),
                                  found.begin() + static_cast<int64_t>((slot + 1) * bytes),
                                  tensor_of(layer, expert, i % tensor_bytes_.size(), bytes, generation).begin()),
                       "rank " + std::to_string(rank.rank) + ", layer " + std::to_string(layer) + ", slot " +
                           std::to_string(slot) + " does not hold expert " + std::to_string(expert) + " of generation " +
                           std::to_string(generation));
        }
    }
}

int32_t Served::on_flip(uint64_t user, int32_t layer, const int32_t* slots, const int32_t* experts,
                        const int32_t* in_use, int32_t count) {
    auto& self = *reinterpret_cast<Served*>(user);
    if (self.refuse_flips) {
        return 1;
    }
    const auto width = static_cast<int32_t>(self.shape_.group.ranks * self.shape_.group.slots);
    for (int32_t i = 0; i < count; i++) {
        if (slots[i] < 0 || slots[i] >= width || (i > 0 && slots[i] <= slots[i - 1])) {
            return 2;
        }
        self.map[static_cast<size_t>(layer * width + slots[i])] = in_use[i] != 0 ? experts[i] : ~experts[i];
        self.probe(static_cast<uint32_t>(layer), static_cast<uint32_t>(slots[i]), static_cast<uint32_t>(experts[i]));
    }
    self.flips++;
    if (self.close_boundary_in_flip) {
        const plm_vote vote{};
        plm_boundary_end(self.rank.ring, &vote);
        self.close_boundary_in_flip = false;
    }
    return 0;
}

void Served::probe(uint32_t layer, uint32_t slot, uint32_t expert) {
    const uint32_t slots = shape_.group.slots;
    if (memory_.empty() || slot / slots != rank.rank) {
        return;
    }
    const uint64_t bytes = tensor_bytes_[0];
    const uint64_t to = rank.engine.scratch(std::vector<uint8_t>(bytes));
    plm_copy_async(rank.engine.stream(), to, memory_[layer * tensor_bytes_.size()] + slot % slots * bytes, bytes);
    probes_.push_back({layer, expert, generation, to});
}

bool Served::boundary(int64_t step) {
    last = {};
    last.size = sizeof last;
    const int32_t status = plm_agent_boundary(agent, rank.engine.stream(), step, &last);
    CHECK_TEXT(status == PLM_OK, plm_last_error());
    left = last.leave != 0;
    return !left;
}

plm_rank Served::state() const {
    plm_rank state{};
    state.size = sizeof state;
    OK(plm_agent_state(agent, &state));
    return state;
}

std::vector<plm_note> Served::notes() {
    std::vector<plm_note> all;
    plm_note note{};
    note.size = sizeof note;
    while (plm_agent_note(agent, &note) == PLM_OK) {
        all.push_back(note);
    }
    return all;
}

bool Served::noted(int32_t kind, int32_t code, const char* text) {
    bool found = false;
    for (const plm_note& note : notes()) {
        found = found || (note.kind == kind && note.code == code && std::strstr(note.text, text) != nullptr);
    }
    return found;
}

void Served::order(const std::vector<uint8_t>& record) { waiting_.push_back(record); }

void Served::replace_last(const std::vector<uint8_t>& record) { waiting_.back() = record; }

// A record's head is 32 bytes, its length a multiple of 8, and the records come round in a ring behind a page.
void Served::damage_mailbox(uint64_t bytes) {
    const int file = open(mailbox_path.c_str(), O_RDWR | O_CLOEXEC);
    const auto at = static_cast<off_t>(4096 + (written_ - (bytes + 7) / 8 * 8) % shape_.mailbox_bytes);
    uint8_t byte = 0;
    CHECK(pread(file, &byte, 1, at) == 1);
    byte ^= 4;
    CHECK(pwrite(file, &byte, 1, at) == 1);
    ::close(file);
}

bool Served::deliver() {
    if (waiting_.empty()) {
        return false;
    }
    OK(plm_mailbox_write(writer_, ++position_, waiting_.front().data(), static_cast<uint32_t>(waiting_.front().size())));
    written_ += 32 + (waiting_.front().size() + 7) / 8 * 8;
    waiting_.pop_front();
    return true;
}

void Served::close(int64_t timeout_ms) {
    plm_stream_sync(rank.engine.stream(), timeout_ms);
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    int32_t status;
    while ((status = plm_agent_close(agent, 1)) == PLM_E_TIMEOUT && timeout_ms > 1000) {
        context_.machine.stir(1);
        CHECK_TEXT(std::chrono::steady_clock::now() < limit, "an agent cannot be closed");
    }
    CHECK(status == PLM_OK || timeout_ms <= 1000);
    OK(plm_mailbox_close(mailbox));
    OK(plm_mailbox_close(writer_));
    unlink(mailbox_path.c_str());
    const int32_t closed = plm_comm_close(comm, timeout_ms);
    CHECK(closed == PLM_OK || timeout_ms <= 1000);
}

Fleet::Fleet(Context& context, const FleetShape& of, bool manifests_differ)
    : shape(of), group(context.machine, of.group, context.directory), context_(context), random_(context.random) {
    placement = any_map();
    std::vector<uint64_t> tensor_bytes;
    for (int64_t tensors = random_.in(1, 3); tensors > 0; tensors--) {
        tensor_bytes.push_back(static_cast<uint64_t>(random_.in(1, 20)) * 8);
        expert_bytes += tensor_bytes.back();
    }
    const auto number = static_cast<int64_t>(new_group());
    const std::vector<uint8_t> id = new_comm_id(context.machine, shape.transport);
    for (auto& rank : group.ranks) {
        const int64_t manifest = manifests_differ && rank->rank == 0 ? 6 : 5;
        ranks.push_back(std::make_unique<Served>(context, shape, *rank, context.directory, number, id, tensor_bytes,
                                                 placement, manifest));
    }
    unlink((context.directory + "/weights-" + std::to_string(number)).c_str());
}

Map Fleet::any_map() {
    Map map;
    const uint32_t slots = shape.group.ranks * shape.group.slots;
    for (uint32_t layer = 0; layer < shape.group.layers; layer++) {
        for (uint32_t slot = 0; slot < slots; slot++) {
            const auto expert = static_cast<int32_t>(slot % shape.experts);
            map.push_back(slot >= shape.experts && random_.chance(20) ? ~expert : expert);
        }
    }
    return map;
}

Decision Fleet::decide(int32_t most_batches) {
    Decision decision;
    decision.epoch = ++epoch_;
    decision.based_on = version;
    decision.plan_hash = static_cast<int64_t>(random_.next());
    decision.maps.push_back(placement);
    const uint32_t slots = shape.group.ranks * shape.group.slots;
    for (int64_t batches = random_.in(1, most_batches); batches > 0; batches--) {
        const Map before = decision.maps.back();
        Map after = before;
        std::vector<Transferred> moves;
        std::vector<uint32_t> received(shape.group.ranks);
        for (uint32_t layer = 0; layer < shape.group.layers; layer++) {
            for (uint32_t slot = 0; slot < slots; slot++) {
                int32_t& held = after[layer * slots + slot];
                if (random_.chance(10)) {
                    held = ~held;
                } else if (random_.chance(30) && received[slot / shape.group.slots] < shape.staged) {
                    const auto from = static_cast<uint32_t>(random_.in(0, slots - 1));
                    const uint32_t expert = expert_in(before[layer * slots + from]);
                    if (expert != expert_in(before[layer * slots + slot])) {
                        moves.push_back({layer, from, slot, expert});
                        received[slot / shape.group.slots]++;
                        held = static_cast<int32_t>(expert);
                    }
                }
            }
        }
        decision.maps.push_back(after);
        decision.moves.push_back(moves);
    }
    return decision;
}

std::vector<uint8_t> Fleet::proposal(const Decision& decision, uint32_t rank) {
    plm_order head = order_of(PLM_ORDER_PROPOSE, number_, decision);
    head.batches = decision.batches();
    std::vector<uint8_t> record;
    append(record, head);
    const bool engine_moves = (shape.flags & PLM_RANK_ENGINE_MOVES) != 0;
    const uint32_t slots = shape.group.ranks * shape.group.slots;
    for (int32_t batch = 1; batch <= decision.batches(); batch++) {
        std::vector<plm_order_transfer> sends, receives;
        std::vector<plm_order_change> changes;
        std::vector<uint32_t> tags(shape.group.ranks);
        for (const Transferred& move : decision.moves[static_cast<size_t>(batch) - 1]) {
            const uint32_t from = move.from / shape.group.slots, to = move.to / shape.group.slots;
            const uint32_t tag = tags[to]++;
            if (from == rank && !engine_moves) {
                sends.push_back({move.layer, move.from % shape.group.slots, to, tag});
            }
            if (to == rank && !engine_moves) {
                receives.push_back({move.layer, move.to % shape.group.slots, from, tag});
            }
        }
        const Map& before = decision.maps[static_cast<size_t>(batch) - 1];
        const Map& after = decision.maps[static_cast<size_t>(batch)];
        for (uint32_t cell = 0; cell < after.size(); cell++) {
            if (before[cell] != after[cell]) {
                changes.push_back({cell / slots, cell % slots, expert_in(after[cell]), after[cell] >= 0 ? 1u : 0u});
            }
        }
        append(record, plm_order_batch{static_cast<uint32_t>(sends.size()), static_cast<uint32_t>(receives.size()),
                                       static_cast<uint32_t>(changes.size()), 0});
        for (const auto& send : sends) {
            append(record, send);
        }
        for (const auto& receive : receives) {
            append(record, receive);
        }
        for (const auto& change : changes) {
            append(record, change);
        }
    }
    const auto size = static_cast<uint32_t>(record.size());
    std::memcpy(record.data(), &size, sizeof size);
    return record;
}

void Fleet::propose(const Decision& decision) {
    number_++;
    for (auto& rank : ranks) {
        rank->order(proposal(decision, rank->rank.rank));
    }
}

void Fleet::say(uint16_t kind, const Decision& decision, int32_t batches) {
    plm_order order = order_of(kind, ++number_, decision);
    order.batches = batches;
    std::vector<uint8_t> record;
    append(record, order);
    for (auto& rank : ranks) {
        rank->order(record);
    }
}

void Fleet::deliver_all() {
    for (auto& rank : ranks) {
        while (rank->deliver()) {
        }
    }
}

void Fleet::step(bool counting) {
    for (auto& rank : ranks) {
        while (random_.chance(60) && rank->deliver()) {
        }
    }
    std::vector<Served*> order;
    for (auto& rank : ranks) {
        if (!rank->left) {
            order.insert(order.begin() + static_cast<int64_t>(random_.in(0, static_cast<int64_t>(order.size()))),
                         rank.get());
        }
    }
    for (Served* rank : order) {
        if (counting) {
            rank->rank.count(random_);
        }
        rank->boundary(step_);
        context_.machine.stir(static_cast<uint64_t>(random_.in(0, 6)));
    }
    step_ += K;
    group.settle();
    if (random_.chance(30)) {
        context_.machine.stir(1000);  // streams that a schedule prefers must not keep the others waiting for ever
    }
    check();
}

void Fleet::step_without_device(const std::vector<uint32_t>& numbers) {
    for (const uint32_t number : numbers) {
        ranks[number]->boundary(step_);
    }
    step_ += K;
}

// Whoever still runs steps routes by the same map.
void Fleet::check() {
    const Served* first = nullptr;
    for (auto& rank : ranks) {
        if (rank->left) {
            continue;
        }
        if (first == nullptr) {
            first = rank.get();
        }
        CHECK_TEXT(rank->map == first->map, "ranks " + std::to_string(first->rank.rank) + " and " +
                                                std::to_string(rank->rank.rank) + " route by different maps");
    }
}

bool Fleet::lost() const {
    return std::any_of(ranks.begin(), ranks.end(),
                       [](const auto& rank) { return !rank->left && rank->state().observes != 0; });
}

bool Fleet::all_in(std::initializer_list<int32_t> phases) const {
    return std::all_of(ranks.begin(), ranks.end(), [&](const auto& rank) {
        return rank->left || std::find(phases.begin(), phases.end(), rank->state().phase) != phases.end();
    });
}

void Fleet::permit(const Decision& decision) {
    propose(decision);
    until("a decision is not accepted", [&] { return all_in({PLM_PHASE_ACCEPTED}) || lost(); });
    say(PLM_ORDER_PERMIT, decision);
}

void Fleet::carry_out(const Decision& decision, bool stop) {
    if (stop) {
        propose(decision);
        for (int64_t steps = random_.in(0, 12); steps > 0 && !all_in({PLM_PHASE_DONE}); steps--) {
            step();
            if (steps == 6 && all_in({PLM_PHASE_ACCEPTED})) {
                say(PLM_ORDER_PERMIT, decision);
            }
        }
    } else {
        permit(decision);
        int32_t flipped = 0;
        until("a decision is not carried out", [&] {
            const plm_rank state = ranks[0]->state();
            for (auto& rank : ranks) {
                CHECK(rank->state().phase != PLM_PHASE_REFUSED);
                CHECK(rank->state().batches_flipped == state.batches_flipped);
            }
            if (state.batches_flipped != flipped) {
                flipped = state.batches_flipped;
                for (auto& rank : ranks) {
                    CHECK(rank->map == decision.maps[static_cast<size_t>(flipped)]);
                    rank->check_weights(rank->map);
                }
            }
            return all_in({PLM_PHASE_DONE});
        });
        say(PLM_ORDER_SETTLED, decision, decision.batches());
        placement = decision.maps.back();
        version = decision.epoch;
        until("a decision is not settled", [&] { return all_in({PLM_PHASE_SERVING}); });
        return;
    }
    say(PLM_ORDER_ABORT, decision);
    settle_aborted(decision);
}

void Fleet::settle_aborted(const Decision& decision) {
    until("a decision does not stop", [&] {
        return std::all_of(ranks.begin(), ranks.end(), [&](const auto& rank) {
            return rank->left || (rank->state().phase == PLM_PHASE_ABORTED && rank->state().epoch == decision.epoch);
        });
    });
    int32_t flipped = -1;
    for (auto& rank : ranks) {
        if (!rank->left) {
            const int32_t its = rank->state().batches_flipped;
            CHECK(flipped == -1 || flipped == its);
            flipped = its;
            rank->check_weights(decision.maps[static_cast<size_t>(flipped)]);
            CHECK(rank->map == decision.maps[static_cast<size_t>(flipped)]);
        }
    }
    if (flipped > 0) {
        placement = decision.maps[static_cast<size_t>(flipped)];
        version = decision.epoch;
    }
    say(flipped > 0 ? PLM_ORDER_SETTLED : PLM_ORDER_VOID, decision, std::max(flipped, 0));
    until("a stopped decision is not settled", [&] { return all_in({PLM_PHASE_SERVING}); });
}

void Fleet::close(bool leaks_nothing) {
    if (leaks_nothing) {
        group.settle();
    }
    for (auto& rank : ranks) {
        rank->close();
    }
    group.close(leaks_nothing);
}
std::string Fleet::describe() const {
    std::string text;
    for (const auto& rank : ranks) {
        const plm_rank state = rank->state();
        text += "\n  rank " + std::to_string(rank->rank.rank) + (rank->left ? ", left" : "") + ": phase " +
                std::to_string(state.phase) + ", epoch " + std::to_string(state.epoch) + ", flipped " +
                std::to_string(state.batches_flipped) + " of " + std::to_string(state.batches) + ", transferring " +
                std::to_string(state.transferring) + ", staging busy " + std::to_string(state.staging_busy) +
                ", refusal " + std::to_string(state.refusal) + ", outcome " + std::to_string(rank->last.outcome);
        for (const plm_note& note : rank->notes()) {
            text += "\n    step " + std::to_string(note.step) + ": note " + std::to_string(note.kind) + ", epoch " +
                    std::to_string(note.epoch) + ", batch " + std::to_string(note.batch) + ", code " +
                    std::to_string(note.code) + " " + note.text;
        }
    }
    return text;
}

void Fleet::give_up() {
    const auto start = std::chrono::steady_clock::now();
    for (auto& rank : ranks) {
        rank->close(20);
        plm_ring_destroy(rank->rank.ring, 20);
        if (rank->rank.comm != 0) {
            plm_comm_close(rank->rank.comm, 20);
        }
    }
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
}
