// The plan mailbox: a ring of length-prefixed records in a file, one writer and one reader, each in its own process.
#pragma once

#include "shared.h"

namespace plm {

class Mailbox : public Object {
public:
    static constexpr Kind kind = Kind::mailbox;

    static std::shared_ptr<Mailbox> open(const std::string& path, uint32_t capacity);
    ~Mailbox() override;

    bool write(int64_t position, const void* record, uint32_t bytes);
    int32_t read(void* buffer, uint32_t room, uint32_t& bytes, int64_t& position);
    // Whether read() has found nothing and nothing was written since: one word of the file tells. Of the reader's thread.
    bool silent() const;
    int64_t last_position();
    uint32_t capacity() const { return capacity_; }

private:
    struct Header;
    struct Commit;
    struct RecordHead;

    Mailbox(std::unique_ptr<Mapping> map, std::string path, uint32_t capacity);
    Header& header() const;
    void become(short end, bool& already, const char* name);
    Commit last_commit() const;
    void copy_in(uint64_t at, const void* from, uint64_t bytes) const;
    void copy_out(uint64_t at, void* to, uint64_t bytes) const;

    const std::unique_ptr<Mapping> map_;
    uint64_t silent_since_ = UINT64_MAX;  // the current commit when read() found nothing behind it
    const std::string path_;
    const uint32_t capacity_;
    std::mutex lock_;
    bool writer_ = false;
    bool reader_ = false;
};

}  // namespace plm
