#pragma once
// Functions of a library that is loaded when it is needed.

#include <dlfcn.h>

namespace nodeagent {

/// `function` becomes the one of that name in a library that dlopen() gave; false when there is none.
template <class F>
bool find_function(void* library, F& function, const char* name) {
    function = reinterpret_cast<F>(::dlsym(library, name));
    return function != nullptr;
}

}  // namespace nodeagent
