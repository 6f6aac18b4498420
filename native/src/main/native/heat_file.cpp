#include "heat_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

namespace plm {

namespace {

constexpr uint64_t vote_words = sizeof(plm_vote) / 8;

// Readers may look while we write; they check the seqlock afterwards, so the words are atomic but not ordered.
// From nothing: zeros.
void put(std::atomic<int64_t>* to, const int64_t* from, uint64_t words) {
    for (uint64_t i = 0; i < words; i++) {
        to[i].store(from == nullptr ? 0 : from[i], std::memory_order_relaxed);
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

// Of a process: the kernel gives a pid again, but not with the same start time.
struct Process {
    bool exists;
    int64_t start_ticks;  // 0 when it could not be read
};

Process process(int64_t pid) {
    const int fd = ::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return {errno != ENOENT, 0};
    }
    char text[1024];
    const ssize_t length = ::read(fd, text, sizeof text - 1);
    ::close(fd);
    if (length <= 0) {
        return {errno != ESRCH, 0};
    }
    text[length] = 0;
    // The second field is the program's name in parentheses, and may hold spaces and parentheses itself.
    const char* at = strrchr(text, ')');
    if (at == nullptr || at[1] == 0) {
        return {true, 0};
    }
    const char state = at[2];
    if (state == 'Z' || state == 'X') {
        return {false, 0};  // dead, and its parent has not asked for it yet
    }
    for (int field = 3; at != nullptr && field <= 22; field++) {
        at = strchr(at + 1, ' ');
    }
    return {true, at == nullptr ? 0 : strtoll(at + 1, nullptr, 10)};
}

uint64_t pid_namespace() {
    struct stat about{};
    return stat("/proc/self/ns/pid", &about) == 0 ? about.st_ino : 0;
}

constexpr int64_t heartbeat_limit_nanos = 2'000'000'000;

// Whether the file's engine may still write to it.
bool alive(const HeatHeader& head) {
    if (head.closed.load(std::memory_order_relaxed) != 0) {
        return false;
    }
    if ((head.abi != heat_abi && head.abi != heat_abi_sent) || head.start_ticks == 0 || head.pid_namespace == 0 ||
        head.pid_namespace != pid_namespace()) {
        return realtime_nanos() - head.heartbeat_nanos.load(std::memory_order_relaxed) < heartbeat_limit_nanos;
    }
    const Process now = process(head.pid);
    return now.exists && (now.start_ticks == 0 || now.start_ticks == head.start_ticks);
}

// Refuses what the ring's file must not replace. The caller holds the directory.
void check_replaceable(const std::string& path) {
    struct stat about{};
    if (lstat(path.c_str(), &about) != 0) {
        if (errno == ENOENT) {
            return;
        }
        fail_errno(PLM_E_ARG, "cannot look at " + path);
    }
    if (!S_ISREG(about.st_mode)) {
        fail(PLM_E_ARG, path + " is " + (S_ISLNK(about.st_mode) ? "a symbolic link" : "not a regular file") +
                            ", and a heat ring does not replace that: remove it");
    }
    if (about.st_uid != geteuid()) {
        fail(PLM_E_ARG, path + " belongs to user " + std::to_string(about.st_uid) + ", this process runs as " +
                            std::to_string(geteuid()) + ": remove it, or choose another directory");
    }
    const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        fail_errno(PLM_E_ARG, "cannot open " + path);
    }
    HeatHeader head{};
    const ssize_t length = pread(fd, static_cast<void*>(&head), sizeof head, 0);
    ::close(fd);
    if (length == 0) {
        return;  // somebody has made the name with nothing in it
    }
    if (length != static_cast<ssize_t>(sizeof head) || head.magic != heat_magic) {
        fail(PLM_E_ARG, path + " is no heat ring: remove it, or choose another path");
    }
    if (alive(head)) {
        fail(PLM_E_STATE, "two engines write to one ring: " + path + " belongs to the living process " +
                              std::to_string(head.pid) + "; stop it, or choose another directory");
    }
}

// Held while a file is built and put in place: else two engines that start together would both find the path free.
class Directory {
public:
    explicit Directory(const std::string& path) : name_(path.substr(0, path.rfind('/') + 1)) {
        if (name_.empty()) {
            name_ = "./";
        }
        fd_ = ::open(name_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd_ < 0) {
            fail_errno(PLM_E_ARG, "cannot open the directory of heat ring " + path);
        }
        const Deadline deadline = after_ms(10'000);
        while (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
            const int code = errno;
            if (code != EINTR && (code != EWOULDBLOCK || Clock::now() >= deadline)) {
                ::close(fd_);
                errno = code;
                fail_errno(PLM_E_STATE, "cannot lock " + name_ + " to create heat ring " + path);
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    ~Directory() {
        flock(fd_, LOCK_UN);  // closing alone would leave it locked by a process that was forked meanwhile
        ::close(fd_);
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    // We build, so nobody else does: whatever is half built here was left by a process that died.
    void remove_left_over(const std::string& prefix) const {
        DIR* listing = opendir(name_.c_str());
        if (listing == nullptr) {
            return;
        }
        while (const dirent* entry = readdir(listing)) {
            if (strncmp(entry->d_name, prefix.c_str(), prefix.size()) == 0) {
                unlinkat(fd_, entry->d_name, 0);
            }
        }
        closedir(listing);
    }

private:
    std::string name_;
    int fd_;
};

uint32_t width_of(const plm_ring_opts& opts) { return opts.gather == PLM_GATHER_NONE ? 1 : opts.ranks; }

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
        pthread_setname_np(pthread_self(), "plm-pulse");
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

HeatFile::HeatFile(const std::string& path, const std::string& deployment, const plm_ring_opts& opts,
                   const Counters& counters)
    : first_rank_(opts.gather == PLM_GATHER_NONE ? opts.rank : 0),
      width_(width_of(opts)),
      own_row_(opts.rank - first_rank_),
      routed_known_(counters.routed_known()),
      load_kind_(counters.load_kind()),
      load_words_(uint64_t{opts.layers} * opts.slots_per_rank),
      own_words_(counters.words() - opts.layers),
      room_(std::max(width_ * load_words_, own_words_)),
      routed_words_(opts.layers),
      slot_bytes_(heat_slot_head_bytes + ((width_ * (vote_words + routed_words_) + room_) * 8 + 63) / 64 * 64) {
    if (deployment.empty() || deployment.size() > sizeof HeatHeader::deployment) {
        fail(PLM_E_ARG, "the deployment's name has " + std::to_string(deployment.size()) + " bytes, 1 to 200 are possible");
    }
    const Directory directory(path);
    check_replaceable(path);
    const std::string prefix = path + ".building-";
    directory.remove_left_over(prefix.substr(prefix.rfind('/') + 1));
    const std::string building = prefix + std::to_string(getpid()) + "-" + std::to_string(thread_id());
    try {
        build(building, deployment, opts);
        if (rename(building.c_str(), path.c_str()) != 0) {
            fail_errno(PLM_E_ARG, "cannot rename " + building + " to " + path);
        }
    } catch (...) {
        unlink(building.c_str());
        throw;
    }
}

void HeatFile::build(const std::string& building, const std::string& deployment, const plm_ring_opts& opts) {
    const int fd = ::open(building.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0) {
        fail_errno(PLM_E_ARG, "cannot create heat ring " + building);
    }
    const uint64_t total = heat_header_bytes + heat_slots * slot_bytes_;
    // The mode again: the process's umask may have taken the group's right to read.
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
    head.abi = load_kind_ == PLM_SEGMENT_ROUTED_TO ? heat_abi_sent : heat_abi;
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
    const uint32_t load = load_kind_ == PLM_SEGMENT_LOAD ? 0 : load_kind_ == PLM_SEGMENT_ROUTED_TO ? 1 : 2;
    head.flags = (routed_known_ ? heat_routed_known : 0) | load << heat_load_shift;
    std::memcpy(head.deployment, deployment.data(), deployment.size());
    head.start_ticks = process(getpid()).start_ticks;
    head.first_rank = first_rank_;
    head.width = width_;
    head.pid_namespace = pid_namespace();
    beat();
    plm_rank_state state{};
    state.size = sizeof state;
    state.incarnation = opts.incarnation;
    state.refusal = -1;
    publish_state(state);
}

HeatFile::~HeatFile() {
    // A child that was forked holds a copy of this object, but the ring is not its own to close.
    if (map_ != nullptr && writable() && header().pid == getpid()) {
        mark_closed();
    }
}

// Once cut, for ever: made longer again it would be zeros, which no reader takes for a ring.
bool HeatFile::writable() {
    if (!cut_.load(std::memory_order_relaxed) && !map_->whole()) {
        cut_.store(true, std::memory_order_relaxed);
    }
    return !cut_.load(std::memory_order_relaxed);
}

bool HeatFile::publish(int64_t step, int64_t captured_nanos, bool gathered, int64_t resets, const int64_t* words) {
    if (!writable()) {
        return false;
    }
    const uint64_t offset = heat_header_bytes + (sequence_ % heat_slots) * slot_bytes_;
    std::atomic<int64_t>* head = map_->at<std::atomic<int64_t>>(offset);
    std::atomic<int64_t>* votes = map_->at<std::atomic<int64_t>>(offset + heat_slot_head_bytes);
    std::atomic<int64_t>* load = votes + width_ * vote_words;
    std::atomic<int64_t>* routed = load + room_;
    sequence_++;
    Seqlock writing(head[0]);
    head[1].store(static_cast<int64_t>(sequence_), std::memory_order_relaxed);
    head[2].store(step, std::memory_order_relaxed);
    head[3].store(captured_nanos, std::memory_order_relaxed);
    head[4].store(gathered ? 1 : 0, std::memory_order_relaxed);
    head[5].store(resets, std::memory_order_relaxed);
    const bool sent = !gathered && load_kind_ == PLM_SEGMENT_ROUTED_TO;
    const uint64_t loads = gathered ? load_words_ : own_words_;
    const uint64_t stride = vote_words + loads + routed_words_;
    if (sent) {
        put(load, words + vote_words, own_words_);
    }
    for (uint32_t row = 0; row < width_; row++) {
        const int64_t* from = gathered ? words + row * stride : row == own_row_ ? words : nullptr;
        put(votes + row * vote_words, from, vote_words);
        if (!sent) {
            put(load + row * load_words_, from == nullptr ? nullptr : from + vote_words, load_words_);
        }
        put(routed + row * routed_words_, from == nullptr || !routed_known_ ? nullptr : from + vote_words + loads,
            routed_words_);
    }
    return true;
}

void HeatFile::publish_state(const plm_rank_state& state) {
    if (!writable()) {
        return;
    }
    const int64_t values[] = {state.incarnation,     state.settled_version, state.epoch,   state.phase,
                              state.batches_flipped, state.plan_hash,       state.refusal, state.fatal,
                              state.command_number,  state.step,            state.refused_epoch,
                              state.refused_hash,    state.refused_stopped, state.flags,   state.refused_peer};
    put_locked(heat_state_offset, values, sizeof values / sizeof values[0]);
}

void HeatFile::publish_times(int64_t index, int64_t step, int64_t busy_nanos, int64_t idle_nanos) {
    if (writable()) {
        const int64_t values[] = {step, busy_nanos, idle_nanos};
        put_locked(heat_times_offset + static_cast<uint64_t>(index) % heat_times * 32, values, 3);
    }
}

void HeatFile::publish_flip(const plm_flip_cost& cost) {
    if (writable()) {
        const int64_t values[] = {cost.epoch, cost.batch, cost.received_bytes, cost.transfer_nanos, cost.flip_nanos};
        put_locked(heat_flips_offset + static_cast<uint64_t>(cost.batch - 1) % heat_flips * 64, values, 5);
    }
}

void HeatFile::put_locked(uint64_t offset, const int64_t* words, uint64_t count) {
    std::atomic<int64_t>* to = map_->at<std::atomic<int64_t>>(offset);
    Seqlock writing(to[0]);
    put(to + 1, words, count);
}

void HeatFile::beat() {
    if (writable()) {
        header().heartbeat_nanos.store(realtime_nanos(), std::memory_order_release);
    }
}

void HeatFile::mark_closed() {
    beat();
    if (writable()) {
        header().closed.store(1, std::memory_order_release);
    }
}

}  // namespace plm
