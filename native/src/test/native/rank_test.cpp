// Tests of the rank's machine: the vectors that the explorer of the worker's tests exports (rank_vectors.json, which the tests
// in Java and Python run too), and what the functions make of wrong arguments.
//   rank_test [WORK_DIRECTORY]      the directory is not used
#include <cctype>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "plimsoll.h"

namespace {

void check(bool holds, const std::string& what) {
    if (!holds) {
        std::fprintf(stderr, "failed: %s\n", what.c_str());
        std::abort();
    }
}

// A number, or a list of values: all that the file has, but for the names of its tables.
struct Value {
    int64_t number = 0;
    std::vector<Value> list;
    bool is_list = false;
};

class Reader {
public:
    explicit Reader(const std::string& text) : at_(text.c_str()) {}

    void expect(char c) {
        skip();
        check(*at_ == c, std::string("'") + c + "' in the vectors before: " + std::string(at_).substr(0, 40));
        at_++;
    }

    bool take(char c) {
        skip();
        if (*at_ != c) {
            return false;
        }
        at_++;
        return true;
    }

    std::string name() {
        expect('"');
        const char* end = std::strchr(at_, '"');
        check(end != nullptr, "a name that ends");
        std::string name(at_, end);
        at_ = end + 1;
        return name;
    }

    Value value() {
        Value value;
        if (!take('[')) {
            char* end = nullptr;
            value.number = std::strtoll(at_, &end, 10);
            check(end != at_, "a number in the vectors before: " + std::string(at_).substr(0, 40));
            at_ = end;
            return value;
        }
        value.is_list = true;
        while (!take(']')) {
            if (!value.list.empty()) {
                expect(',');
            }
            value.list.push_back(this->value());
        }
        return value;
    }

private:
    void skip() {
        while (std::isspace(static_cast<unsigned char>(*at_)) != 0) {
            at_++;
        }
    }

    const char* at_;
};

struct Vectors {
    std::vector<Value> states, events, turns, seen, verdicts;
};

Vectors read_vectors() {
    std::string path = __FILE__;
    path = path.substr(0, path.rfind('/') + 1) + "rank_vectors.json";
    std::ifstream file(path);
    check(file.good(), "vectors at " + path);
    std::stringstream text;
    text << file.rdbuf();
    const std::string whole = text.str();
    Reader reader(whole);
    Vectors vectors;
    reader.expect('{');
    do {
        const std::string name = reader.name();
        reader.expect(':');
        std::vector<Value> table = reader.value().list;
        check(!table.empty(), "rows in " + name);
        (name == "states"   ? vectors.states
         : name == "events" ? vectors.events
         : name == "turns"  ? vectors.turns
         : name == "seen"   ? vectors.seen
                            : vectors.verdicts) = std::move(table);
    } while (reader.take(','));
    reader.expect('}');
    return vectors;
}

template <class Struct>
Struct struct_of(const Value& words, size_t from = 0) {
    std::vector<int32_t> numbers;
    for (const Value& word : words.list) {
        numbers.push_back(static_cast<int32_t>(word.number));
    }
    check((numbers.size() - from) * sizeof(int32_t) >= sizeof(Struct), "words of a whole struct");
    Struct out;
    std::memcpy(&out, numbers.data() + from, sizeof out);
    return out;
}

// Puts pairs of an index and a number into a struct.
template <class Struct>
void change(Struct& value, const Value& pairs) {
    for (size_t i = 0; i + 1 < pairs.list.size(); i += 2) {
        const auto number = static_cast<int32_t>(pairs.list[i + 1].number);
        std::memcpy(reinterpret_cast<char*>(&value) + pairs.list[i].number * sizeof number, &number, sizeof number);
    }
}

const Value& part(const Value& row, size_t index) {
    static const Value none;
    return index < row.list.size() ? row.list[index] : none;
}

template <class Struct>
std::string words(const Struct& value) {
    std::string text;
    for (size_t i = 0; i < sizeof value / sizeof(int32_t); i++) {
        int32_t word;
        std::memcpy(&word, reinterpret_cast<const char*>(&value) + i * sizeof word, sizeof word);
        text += (i == 0 ? "" : ",") + std::to_string(word);
    }
    return text;
}

template <class Struct>
void same(const Struct& actual, const Struct& expected, const std::string& what) {
    check(std::memcmp(&actual, &expected, sizeof actual) == 0,
          what + " is " + words(actual) + ", expected " + words(expected));
}

plm_rank_effects no_effects() {
    plm_rank_effects effects{};
    effects.size = sizeof effects;
    return effects;
}

void events_make_of_states_what_the_explorer_saw(const Vectors& vectors) {
    for (size_t row = 0; row < vectors.turns.size(); row++) {
        const Value& turn = vectors.turns[row];
        const std::string name = "turn " + std::to_string(row);
        const auto before = struct_of<plm_rank>(vectors.states.at(static_cast<size_t>(turn.list.at(0).number)));
        const auto event = struct_of<plm_rank_event>(vectors.events.at(static_cast<size_t>(turn.list.at(1).number)));
        plm_rank rank = before;
        plm_rank_effects effects = no_effects();
        check(plm_rank_on(&rank, &event, &effects) == PLM_OK, name + ": " + plm_last_error());
        plm_rank after = before;
        change(after, part(turn, 3));
        same(rank, after, name + ": the rank");
        const std::vector<Value>& wanted = part(turn, 2).list;
        check(effects.count * 4 == wanted.size(), name + ": " + std::to_string(effects.count) + " effects");
        for (uint32_t i = 0; i < effects.count; i++) {
            const plm_rank_effect& effect = effects.effects[i];
            const int32_t numbers[] = {effect.kind, effect.epoch, effect.batch, effect.code};
            for (size_t j = 0; j < 4; j++) {
                check(numbers[j] == wanted[i * 4 + j].number, name + ": effect " + std::to_string(i));
            }
        }
        plm_vote expected = rank.staged;
        change(expected, part(turn, 4));
        plm_vote vote{};
        check(plm_rank_vote(&rank, &vote) == PLM_OK, name);
        same(vote, expected, name + ": the vote");
    }
}

void heat_ring_shows_what_the_node_needs(const Vectors& vectors) {
    for (size_t row = 0; row < vectors.seen.size(); row++) {
        const auto rank = struct_of<plm_rank>(vectors.states.at(row));
        plm_rank_state state{};
        state.size = sizeof state;
        state.step = 4711;
        check(plm_rank_describe(&rank, &state) == PLM_OK, plm_last_error());
        check(state.step == 4711, "a step that is left alone");
        const int64_t fields[] = {state.settled_version, state.incarnation,   state.epoch,          state.phase,
                                  state.batches_flipped, state.refusal,       state.plan_hash,      state.command_number,
                                  state.fatal,           state.refused_epoch, state.refused_hash,   state.refused_stopped,
                                  static_cast<int64_t>(state.flags)};
        const std::vector<Value>& wanted = vectors.seen[row].list;
        check(wanted.size() == std::size(fields), "fields of a rank's state");
        for (size_t i = 0; i < wanted.size(); i++) {
            check(fields[i] == wanted[i].number, "state " + std::to_string(row) + ", field " + std::to_string(i));
        }
    }
}

void smallest_level_decides_where_all_speak_of_the_same(const Vectors& vectors) {
    for (size_t row = 0; row < vectors.verdicts.size(); row++) {
        const Value& line = vectors.verdicts[row];
        std::vector<plm_vote> votes;
        for (size_t from = 0; from + 8 < line.list.size(); from += 8) {
            votes.push_back(struct_of<plm_vote>(line, from));
        }
        plm_verdict verdict{};
        verdict.size = sizeof verdict;
        check(plm_votes_verdict(votes.data(), static_cast<uint32_t>(votes.size()), &verdict) == PLM_OK, plm_last_error());
        const size_t said = line.list.size() - 3;
        check(verdict.outcome == PLM_OUTCOME_RESOLVED && verdict.epoch == line.list[said].number &&
                  verdict.batch == line.list[said + 1].number && verdict.level == line.list[said + 2].number,
              "verdict " + std::to_string(row));
    }
}

void wrong_arguments_change_nothing() {
    plm_rank rank{};
    check(plm_rank_begin(&rank, 7, 3, 0) == PLM_E_ARG, "a rank without a size");
    rank.size = sizeof rank;
    check(plm_rank_begin(nullptr, 7, 3, 0) == PLM_E_ARG && plm_rank_begin(&rank, 0, 3, 0) == PLM_E_ARG &&
              plm_rank_begin(&rank, 7, -1, 0) == PLM_E_ARG && plm_rank_begin(&rank, 7, 3, 4) == PLM_E_ARG,
          "wrong arguments of begin");
    check(plm_rank_begin(&rank, 7, 3, PLM_RANK_OBSERVES) == PLM_OK && rank.observes == 1 && rank.staged.settled_version == 3 &&
              rank.refusal == PLM_REFUSAL_NONE && rank.phase == PLM_PHASE_SERVING,
          "a rank at the start of its incarnation");
    const plm_rank before = rank;
    plm_rank_effects effects = no_effects();
    plm_rank_event event{};
    event.size = sizeof event;
    event.kind = 12;
    check(plm_rank_on(&rank, &event, &effects) == PLM_E_ARG, "an event of no kind");
    event.kind = PLM_EVENT_VERDICT;
    event.outcome = 6;
    check(plm_rank_on(&rank, &event, &effects) == PLM_E_ARG, "an outcome of no kind");
    event.kind = PLM_EVENT_ORDER;
    event.order.kind = 6;
    event.order.incarnation = 7;
    event.order.number = 1;
    check(plm_rank_on(&rank, &event, &effects) == PLM_E_ARG, "an order of no kind");
    event.size = 8;
    check(plm_rank_on(&rank, &event, &effects) == PLM_E_ARG, "an event cut short");
    check(plm_rank_on(&rank, nullptr, &effects) == PLM_E_ARG && plm_rank_on(&rank, &event, nullptr) == PLM_E_ARG, "NULL");
    same(rank, before, "a rank after wrong events");
    plm_verdict verdict{};
    verdict.size = sizeof verdict;
    check(plm_votes_verdict(nullptr, 1, &verdict) == PLM_E_ARG && plm_votes_verdict(&rank.staged, 0, &verdict) == PLM_E_ARG,
          "a verdict of no votes");
}

plm_rank_event order_of(int32_t kind, int64_t number, int32_t epoch, int64_t hash) {
    plm_rank_event event{};
    event.size = sizeof event;
    event.kind = PLM_EVENT_ORDER;
    event.order.kind = static_cast<uint16_t>(kind);
    event.order.incarnation = 7;
    event.order.number = number;
    event.order.epoch = epoch;
    event.order.plan_hash = hash;
    event.order.batches = kind == PLM_ORDER_PROPOSE ? 2 : 0;
    event.order.refusal = PLM_REFUSAL_NONE;
    return event;
}

plm_rank begun(int32_t version) {
    plm_rank rank{};
    rank.size = sizeof rank;
    check(plm_rank_begin(&rank, 7, version, 0) == PLM_OK, plm_last_error());
    return rank;
}

void hear(plm_rank& rank, const plm_rank_event& event) {
    plm_rank_effects effects = no_effects();
    check(plm_rank_on(&rank, &event, &effects) == PLM_OK, plm_last_error());
}

// No planner writes this: the second decision would be its fault, the first one is still to be carried out.
void later_proposal_does_not_hold_up_the_one_that_is_here() {
    plm_rank rank = begun(0);
    hear(rank, order_of(PLM_ORDER_PROPOSE, 1, 1, 11));
    hear(rank, order_of(PLM_ORDER_PROPOSE, 2, 2, 22));
    check(rank.refusal == PLM_REFUSAL_BUSY && rank.refused_epoch == 2 && rank.refused_hash == 22, "a refusal of the later");
    hear(rank, order_of(PLM_ORDER_PERMIT, 3, 1, 11));
    check(rank.phase == PLM_PHASE_WILLING && rank.refused_epoch == 2, "leave for the one that is here");
}

plm_rank_effects on(plm_rank& rank, const plm_rank_event& event) {
    plm_rank_effects effects = no_effects();
    check(plm_rank_on(&rank, &event, &effects) == PLM_OK, plm_last_error());
    return effects;
}

// Refused since it voted 1: the others may start on that vote, and what it starts is the decision that was voted on.
void nothing_new_begins_while_a_vote_may_still_flip() {
    plm_rank rank = begun(0);
    hear(rank, order_of(PLM_ORDER_PROPOSE, 1, 1, 11));
    hear(rank, order_of(PLM_ORDER_PERMIT, 2, 1, 11));
    plm_rank_event event{};
    event.size = sizeof event;
    event.kind = PLM_EVENT_VOTED;
    check(plm_rank_vote(&rank, &event.vote) == PLM_OK && event.vote.level == 1, "a willing rank");
    on(rank, event);
    event.kind = PLM_EVENT_CHANGED;
    on(rank, event);
    check(rank.phase == PLM_PHASE_REFUSED, "a decision on a map that is no more");
    hear(rank, order_of(PLM_ORDER_PROPOSE, 3, 2, 22));
    check(rank.epoch == 1 && rank.refused_epoch == 2 && rank.refusal == PLM_REFUSAL_BUSY, "a busy rank");
    event.kind = PLM_EVENT_VERDICT;
    event.outcome = PLM_OUTCOME_RESOLVED;
    event.epoch = event.batch = event.level = 1;
    const plm_rank_effects effects = on(rank, event);
    check(effects.count == 2 && effects.effects[0].kind == PLM_EFFECT_START_TRANSFERS && effects.effects[0].epoch == 1 &&
              effects.effects[1].kind == PLM_EFFECT_CANCEL_TRANSFERS,
          "transfers of the decision that was voted on");
}

void version_never_goes_back() {
    plm_rank rank = begun(5);
    hear(rank, [] {
        plm_rank_event event = order_of(PLM_ORDER_PROPOSE, 1, 3, 11);
        event.order.based_on = 5;
        return event;
    }());
    check(rank.phase == PLM_PHASE_REFUSED && rank.refusal == PLM_REFUSAL_INVALID_PLAN, "an epoch below the version");
}

// States that no event leads to: whatever brought a rank there, it wants nothing that it cannot be held to.
void rank_that_cannot_be_held_to_it_votes_nothing(const Vectors& vectors) {
    int ready = 0;
    for (const Value& words : vectors.states) {
        const auto rank = struct_of<plm_rank>(words);
        plm_vote vote{};
        check(plm_rank_vote(&rank, &vote) == PLM_OK, plm_last_error());
        if (vote.level == 0) {
            continue;
        }
        const uint8_t level = vote.level;
        for (int32_t plm_rank::*reason : {&plm_rank::observes, &plm_rank::deaf, &plm_rank::engine_busy, &plm_rank::changed,
                                               &plm_rank::reloading}) {
            plm_rank odd = rank;
            odd.*reason = 1;
            check(plm_rank_vote(&odd, &vote) == PLM_OK && vote.level == 0, "a vote of nothing");
        }
        plm_rank touched = rank;
        touched.staging_busy = 1;
        check(plm_rank_vote(&touched, &vote) == PLM_OK, plm_last_error());
        check(vote.level == (rank.phase == PLM_PHASE_WILLING ? 0 : level), "staging memory holds up the first vote alone");
        ready += level == 2;
    }
    check(ready > 0, "ready ranks in the vectors");
}

plm_rank_event event_of(int32_t kind) {
    plm_rank_event event{};
    event.size = sizeof event;
    event.kind = kind;
    return event;
}

plm_rank_event resolved(int32_t batch, int32_t level) {
    plm_rank_event event = event_of(PLM_EVENT_VERDICT);
    event.outcome = PLM_OUTCOME_RESOLVED;
    event.epoch = 1;
    event.batch = batch;
    event.level = level;
    return event;
}

plm_rank_event ended(int32_t good) {
    plm_rank_event event = event_of(PLM_EVENT_TRANSFER_ENDED);
    event.epoch = event.batch = 1;
    event.good = good;
    return event;
}

plm_rank_event reloaded(int64_t generation) {
    plm_rank_event event = event_of(PLM_EVENT_RELOADED);
    event.generation = generation;
    return event;
}

// Casts what the rank votes now; its level.
int32_t cast(plm_rank& rank) {
    plm_rank_event event = event_of(PLM_EVENT_VOTED);
    check(plm_rank_vote(&rank, &event.vote) == PLM_OK, plm_last_error());
    on(rank, event);
    return event.vote.level;
}

plm_rank willing() {
    plm_rank rank = begun(0);
    hear(rank, order_of(PLM_ORDER_PROPOSE, 1, 1, 11));
    hear(rank, order_of(PLM_ORDER_PERMIT, 2, 1, 11));
    return rank;
}

// Its vote of 2 is out.
plm_rank ready() {
    plm_rank rank = willing();
    cast(rank);
    on(rank, resolved(1, 1));
    on(rank, ended(1));
    check(cast(rank) == 2, "a ready rank");
    return rank;
}

bool asks(plm_rank& rank) {
    on(rank, event_of(PLM_EVENT_RELOAD));
    return rank.reloading == PLM_RELOAD_UNDER_WAY;
}

bool has(const plm_rank_effects& effects, int32_t kind) {
    for (uint32_t i = 0; i < effects.count; i++) {
        if (effects.effects[i].kind == kind) {
            return true;
        }
    }
    return false;
}

// Whatever an engine loads in place, it has its slots for itself, and nothing of before comes to them.
void reloads_wait_for_what_may_come_to_the_slots() {
    plm_rank rank = ready();
    check(!asks(rank) && rank.phase == PLM_PHASE_READY, "a vote of 2 that is waited for");
    check(has(on(rank, resolved(1, 2)), PLM_EFFECT_FLIP) && rank.batches_flipped == 1, "what all have agreed on");
    check(!asks(rank), "staging memory that is touched");
    on(rank, event_of(PLM_EVENT_STAGING_FREED));
    check(asks(rank) && cast(rank) == 0, "slots of the engine's alone");
    on(rank, resolved(1, 0));
    check(cast(rank) == 0, "no vote while they are");
    on(rank, reloaded(7));
    on(rank, resolved(1, 0));
    check(rank.phase == PLM_PHASE_WILLING && cast(rank) == 1 && rank.cast.plan_hash == (11 ^ 7), "the next batch, on other weights");

    rank = ready();
    asks(rank);
    const plm_rank_effects dropped = on(rank, resolved(1, 1));
    check(rank.phase == PLM_PHASE_REFUSED && rank.refusal == PLM_REFUSAL_TRANSFER_FAILED &&
              has(dropped, PLM_EFFECT_FREE_STAGING) && !has(dropped, PLM_EFFECT_START_TRANSFERS),
          "weights that arrived for nothing");
    check(!asks(rank), "staging memory that was just freed");

    rank = willing();
    cast(rank);
    on(rank, resolved(1, 1));
    cast(rank);
    on(rank, event_of(PLM_EVENT_RELOAD));
    check(rank.transferring == 1 && rank.phase == PLM_PHASE_REFUSED, "transfers that are cancelled and not forgotten");
    check(!has(on(rank, ended(0)), PLM_EFFECT_FREE_STAGING), "memory of a batch that a verdict could begin again");
    check(!has(on(rank, resolved(1, 1)), PLM_EFFECT_START_TRANSFERS), "transfers that are started once");
}

void reloads_without_leave_are_never_flipped_over() {
    plm_rank rank = ready();
    on(rank, reloaded(7));
    check(rank.phase == PLM_PHASE_REFUSED && rank.reloading == PLM_RELOAD_LATE && !asks(rank), "a rank that is too late");
    plm_rank other = rank;
    const plm_rank_effects effects = on(rank, resolved(1, 2));
    check(rank.phase == PLM_PHASE_FATAL && rank.batches_flipped == 0 && !has(effects, PLM_EFFECT_FLIP), "a flip that cannot be");
    on(other, resolved(1, 1));
    check(other.phase == PLM_PHASE_REFUSED && other.reloading == PLM_RELOAD_NONE && cast(other) == 0, "nobody has flipped");

    rank = willing();
    cast(rank);
    on(rank, resolved(1, 1));
    check(has(on(rank, reloaded(7)), PLM_EFFECT_CANCEL_TRANSFERS) && rank.phase == PLM_PHASE_REFUSED, "bytes that are torn");
}

// Structs as they were before 3.2: nothing is written behind them, and generations stay what they were at the start.
void structs_of_an_older_caller_are_taken() {
    const plm_rank whole = ready();
    struct {
        char words[offsetof(plm_rank, generation)];
        int64_t beyond;
    } older{};
    plm_rank& rank = *reinterpret_cast<plm_rank*>(&older);
    std::memcpy(&older, &whole, sizeof older.words);
    older.beyond = -1;
    rank.size = sizeof older.words;
    plm_rank_event event = resolved(1, 2);
    event.size = offsetof(plm_rank_event, generation);
    check(has(on(rank, event), PLM_EFFECT_FLIP) && rank.batches_flipped == 1 && older.beyond == -1, "a struct of before 3.2");
    check(plm_rank_begin(&rank, 7, 3, 0) == PLM_OK && rank.settled_version == 3 && older.beyond == -1, "one that begins");
    rank.size--;
    check(plm_rank_begin(&rank, 7, 3, 0) == PLM_E_ARG, "one that is cut short");
}

void structs_of_a_newer_caller_are_taken() {
    struct {
        plm_rank rank;
        int64_t more;
    } newer{};
    newer.rank.size = sizeof newer;
    newer.more = -1;
    check(plm_rank_begin(&newer.rank, 7, 0, 0) == PLM_OK && newer.rank.size == sizeof newer && newer.more == -1,
          "a struct larger than the library's");
}

}  // namespace

int main() {
    const Vectors vectors = read_vectors();
    check(vectors.states.size() == vectors.seen.size(), "what is seen of every state");
    events_make_of_states_what_the_explorer_saw(vectors);
    heat_ring_shows_what_the_node_needs(vectors);
    smallest_level_decides_where_all_speak_of_the_same(vectors);
    wrong_arguments_change_nothing();
    later_proposal_does_not_hold_up_the_one_that_is_here();
    nothing_new_begins_while_a_vote_may_still_flip();
    version_never_goes_back();
    rank_that_cannot_be_held_to_it_votes_nothing(vectors);
    reloads_wait_for_what_may_come_to_the_slots();
    reloads_without_leave_are_never_flipped_over();
    structs_of_an_older_caller_are_taken();
    structs_of_a_newer_caller_are_taken();
    std::printf("%zu turns of %zu states, %zu verdicts\n", vectors.turns.size(), vectors.states.size(), vectors.verdicts.size());
    return 0;
}
