#include "vendor_library.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <map>

namespace plm {

namespace {

// Lazy: what a library of the vendor does not find for itself is no matter as long as nobody calls it.
constexpr int flags = RTLD_LAZY | RTLD_LOCAL;

// An error about the very file that was asked for says only that it is not there. One about another file is of a
// library that is there but cannot be loaded, which is what people need to hear.
bool tells_more(const std::string& error, const std::string& file) {
    return error.compare(0, file.size(), file) != 0 || error.find("No such file") == std::string::npos;
}

}  // namespace

Libraries::Libraries(const char* directory, std::initializer_list<const char*> names, Take take)
    : anywhere_(directory == nullptr) {
    const std::string prefix = anywhere_ ? std::string() : std::string(directory) + "/";
    const auto enough = [&] { return take == Take::first && found(); };
    for (const char* name : names) {
        if (anywhere_ && !enough()) {
            add(dlopen(name, flags | RTLD_NOLOAD));
        }
    }
    if (found()) {
        return;
    }
    std::vector<std::string> tried;
    std::string told;
    for (const char* name : names) {
        if (enough()) {
            break;
        }
        const std::string file = prefix + name;
        void* handle = dlopen(file.c_str(), flags);
        add(handle);
        if (handle == nullptr) {
            tried.push_back(name);
            const char* error = dlerror();
            if (error != nullptr && tells_more(error, file)) {
                told += std::string("; ") + error;
            }
        }
    }
    if (!found()) {
        const std::string where =
            anywhere_ ? "where the system looks (LD_LIBRARY_PATH)" : "in " + std::string(directory);
        problem_ = "found none of " + joined(tried) + " " + where + told;
    }
}

void Libraries::add(void* handle) {
    if (handle == nullptr || std::find(handles_.begin(), handles_.end(), handle) != handles_.end()) {
        return;
    }
    handles_.push_back(handle);
    link_map* map = nullptr;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr) {
        paths_ += (paths_.empty() ? "" : ", ") + std::string(map->l_name);
    }
}

void* Libraries::find(const char* symbol) const {
    for (void* handle : handles_) {
        if (void* address = dlsym(handle, symbol)) {
            return address;
        }
    }
    // Vendors move functions from library to library; the engine may have loaded the one that has it now.
    return anywhere_ && found() ? dlsym(RTLD_DEFAULT, symbol) : nullptr;
}

std::vector<std::string> Libraries::resolve(const std::vector<Symbol>& symbols, std::string& degraded) const {
    std::vector<std::string> missing;
    for (const Symbol& symbol : symbols) {
        void* address = find(symbol.name);
        std::memcpy(symbol.pointer, &address, sizeof address);
        if (address != nullptr) {
            continue;
        }
        if (symbol.need == Need::must) {
            missing.push_back(symbol.name);
        } else {
            add_line(degraded, std::string(symbol.name) + ": " + symbol.without);
        }
    }
    return missing;
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

void add_line(std::string& lines, const std::string& line) { lines += (lines.empty() ? "" : "\n") + line; }

void Fault::check() const {
    if (there()) {
        std::lock_guard<std::mutex> hold(lock_);
        fail(PLM_E_DEVICE, "not tried, because the device was lost before: " + text_);
    }
}

void Fault::remember(const std::string& text) {
    std::lock_guard<std::mutex> hold(lock_);
    if (!there()) {
        text_ = text;
        there_.store(true, std::memory_order_release);
    }
}

std::mutex& creation_lock(int32_t device) {
    // Never destroyed: a thread may still be inside when the process exits.
    static std::mutex* lock = new std::mutex;
    static auto* locks = new std::map<int32_t, std::mutex>;
    std::lock_guard<std::mutex> hold(*lock);
    return (*locks)[device];
}

}  // namespace plm
