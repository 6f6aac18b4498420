#include "heat_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "threads.h"

namespace plm {

namespace {

constexpr uint64_t vote_words = sizeof(plm_vote) / 8;

// Readers may look while we write; they check the seqlock afterwards, so the words are atomic but not ordered.
void put(std::atomic<int64_t>* to, const int64_t* from, uint64_t words) {
    for (uint64_t i = 0; i < words; i++) {
        to[i].store(from[i], std::memory_order_relaxed);
    }
}

// Odd while being written. The release stores of the words would be too dear; the fence orders them all behind it.
class Seqlock {
public:
    explicit Seqlock(std::atomic<int64_t>& word) : word_(word), before_(word.load(std::memory_order_relaxed)) {
        word_.store(before_ + 1, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_release);
    }
    ~Seqlock() { word_.store(before_ + 2, std::memory_order_release); }
    Seqlock(const Seqlock&) = delete;
    Seqlock& operator=(const Seqlock&) = delete;

private:
    std::atomic<int64_t>& word_;
    const int64_t before_;
};

uint64_t snapshot_words(const plm_ring_opts& opts) {
    return opts.ranks * (vote_words + uint64_t{opts.layers} * opts.slots_per_rank + opts.layers);
}

// One thread for all files: a sign that the process lives, whatever its rings are waiting for.
class Pulse {
public:
    void add(const std::shared_ptr<HeatFile>& file) {
        std::lock_guard<std::mutex> hold(lock_);
        files_.push_back(file);
        if (!running_) {
            running_ = true;
            std::thread([this] { run(); }).detach();  // ends when no file is left, and lives no longer than the process
        }
    }

private:
    void run() {
        name_thread("plm-pulse");
        std::unique_lock<std::mutex> hold(lock_);
        while (true) {
            for (auto file = files_.begin(); file != files_.end();) {
                if (std::shared_ptr<HeatFile> open = file->lock()) {
                    open->beat();
                    ++file;
                } else {
                    file = files_.erase(file);
                }
            }
            if (files_.empty()) {
                running_ = false;
                return;
            }
            changed_.wait_for(hold, std::chrono::milliseconds(100));
        }
    }

    std::mutex lock_;
    std::condition_variable changed_;
    std::vector<std::weak_ptr<HeatFile>> files_;
    bool running_ = false;
};

}  // namespace

void keep_beating(const std::shared_ptr<HeatFile>& file) {
    static Pulse* pulse = new Pulse;  // never destroyed: its thread may outlive static objects
    pulse->add(file);
}

HeatFile::HeatFile(const std::string& path, const std::string& deployment, const plm_ring_opts& opts, bool)
    : ranks_(opts.ranks),
      load_words_(uint64_t{opts.layers} * opts.slots_per_rank),
      routed_words_(opts.layers),
      slot_bytes_(heat_slot_head_bytes + (snapshot_words(opts) * 8 + 63) / 64 * 64) {
    if (deployment.empty() || deployment.size() > sizeof HeatHeader::deployment) {
        fail(PLM_E_ARG, "the deployment's name has " + std::to_string(deployment.size()) + " bytes, 1 to 200 are possible");
    }
    const std::string building = path + ".building-" + std::to_string(getpid()) + "-" + std::to_string(thread_id());
    const int fd = ::open(building.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0) {
        fail_errno(PLM_E_ARG, "cannot create heat ring " + building);
    }
    try {
        const uint64_t total = heat_header_bytes + heat_slots * slot_bytes_;
        if (fchmod(fd, 0640) != 0 || ftruncate(fd, static_cast<off_t>(total)) != 0) {
            const int code = errno;
            ::close(fd);
            errno = code;
            fail_errno(PLM_E_NOMEM, "cannot size heat ring " + building);
        }
        map_ = std::make_unique<Mapping>(fd, total, building);
        map_->reserve(0, total);
        HeatHeader& head = header();
        head.magic = heat_magic;
        head.abi = heat_abi;
        head.slot_count = heat_slots;
        head.slot_bytes = slot_bytes_;
        head.pid = getpid();
        head.opened_nanos = realtime_nanos();
        head.incarnation = opts.incarnation;
        head.rank = opts.rank;
        head.ranks = opts.ranks;
        head.layers = opts.layers;
        head.slots_per_rank = opts.slots_per_rank;
        head.boundary_steps = opts.boundary_steps;
        head.deployment_bytes = static_cast<uint32_t>(deployment.size());
        std::memcpy(head.deployment, deployment.data(), deployment.size());
        beat();
        plm_rank_state state{};
        state.size = sizeof state;
        state.incarnation = opts.incarnation;
        state.refusal = -1;
        publish_state(state);
        if (rename(building.c_str(), path.c_str()) != 0) {
            fail_errno(PLM_E_ARG, "cannot rename " + building + " to " + path);
        }
    } catch (...) {
        unlink(building.c_str());
        throw;
    }
}

void HeatFile::publish(int64_t step, int64_t captured_nanos, bool, const int64_t* gathered) {
    const uint64_t offset = heat_header_bytes + (sequence_ % heat_slots) * slot_bytes_;
    std::atomic<int64_t>* head = map_->at<std::atomic<int64_t>>(offset);
    std::atomic<int64_t>* votes = map_->at<std::atomic<int64_t>>(offset + heat_slot_head_bytes);
    std::atomic<int64_t>* load = votes + ranks_ * vote_words;
    std::atomic<int64_t>* routed = load + ranks_ * load_words_;
    sequence_++;
    Seqlock writing(head[0]);
    head[1].store(static_cast<int64_t>(sequence_), std::memory_order_relaxed);
    head[2].store(step, std::memory_order_relaxed);
    head[3].store(captured_nanos, std::memory_order_relaxed);
    const uint64_t stride = vote_words + load_words_ + routed_words_;
    for (uint32_t rank = 0; rank < ranks_; rank++) {
        const int64_t* from = gathered + rank * stride;
        put(votes + rank * vote_words, from, vote_words);
        put(load + rank * load_words_, from + vote_words, load_words_);
        put(routed + rank * routed_words_, from + vote_words + load_words_, routed_words_);
    }
}

void HeatFile::publish_state(const plm_rank_state& state) {
    std::atomic<int64_t>* words = map_->at<std::atomic<int64_t>>(heat_state_offset);
    const int64_t values[] = {state.incarnation,     state.settled_version, state.epoch,   state.phase,
                              state.batches_flipped, state.plan_hash,       state.refusal, state.fatal,
                              state.command_number,  state.step};
    Seqlock writing(words[0]);
    put(words + 1, values, sizeof values / sizeof values[0]);
}

void HeatFile::beat() { header().heartbeat_nanos.store(realtime_nanos(), std::memory_order_release); }

void HeatFile::mark_closed() {
    beat();
    header().closed.store(1, std::memory_order_release);
}

}  // namespace plm
