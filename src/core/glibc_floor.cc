// Keeps the addon loadable wherever libtorch is: on glibc 2.28 and the libstdc++ of GCC 6, however new the machine it
// was built on. CMakeLists.txt lets the linker send each call of a function below to its wrapper (--wrap), and the
// wrapper asks for the oldest version of that function; the newest, which the linker would take, does not exist on such
// systems.
//
// Nothing is lost. dlopen and its like, and pthread_once, only moved into libc.so.6 with glibc 2.34; before, they are
// in libdl and libpthread, which node and libtorch both bring. fstat became a symbol of its own with 2.33; it called
// __fxstat before. pow no longer sets errno since 2.29. std::condition_variable::wait only became noexcept with GCC 12.
//
// test/package/ compares the versions that libtorch itself asks for: a function that is newly used and too new fails
// there.
#include <dlfcn.h>
#include <pthread.h>
#include <sys/stat.h>

#include <condition_variable>
#include <mutex>

// The oldest versions there are on x86-64. References from this file only: .symver ends with the file.
extern "C" {
void* oldest_dlopen(const char* file, int mode);
void* oldest_dlsym(void* handle, const char* name);
int oldest_dladdr(const void* address, Dl_info* info);
char* oldest_dlerror();
int oldest_pthread_once(pthread_once_t* control, void (*routine)());
double oldest_pow(double base, double exponent);
int oldest_fxstat(int version, int descriptor, struct stat* status);
void oldest_wait(std::condition_variable* self, std::unique_lock<std::mutex>& lock);

void* wrapped_dlopen(const char* file, int mode) asm("__wrap_dlopen");
void* wrapped_dlsym(void* handle, const char* name) asm("__wrap_dlsym");
int wrapped_dladdr(const void* address, Dl_info* info) asm("__wrap_dladdr");
char* wrapped_dlerror() asm("__wrap_dlerror");
int wrapped_pthread_once(pthread_once_t* control, void (*routine)()) asm("__wrap_pthread_once");
double wrapped_pow(double base, double exponent) asm("__wrap_pow");
int wrapped_fstat(int descriptor, struct stat* status) asm("__wrap_fstat");
void wrapped_wait(std::condition_variable* self, std::unique_lock<std::mutex>& lock) asm(
    "__wrap__ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE");

// glibc 2.32 says here that a process has no threads yet, and std::shared_ptr then counts without atomics. A process
// with Node always has threads: 0, as ever before.
extern const char single_threaded asm("__libc_single_threaded");
const char single_threaded = 0;
}

asm(".symver oldest_dlopen, dlopen@GLIBC_2.2.5");
asm(".symver oldest_dlsym, dlsym@GLIBC_2.2.5");
asm(".symver oldest_dladdr, dladdr@GLIBC_2.2.5");
asm(".symver oldest_dlerror, dlerror@GLIBC_2.2.5");
asm(".symver oldest_pthread_once, pthread_once@GLIBC_2.2.5");
asm(".symver oldest_pow, pow@GLIBC_2.2.5");
asm(".symver oldest_fxstat, __fxstat@GLIBC_2.2.5");
asm(".symver oldest_wait, _ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE@GLIBCXX_3.4.11");

void* wrapped_dlopen(const char* file, int mode) { return oldest_dlopen(file, mode); }
void* wrapped_dlsym(void* handle, const char* name) { return oldest_dlsym(handle, name); }
int wrapped_dladdr(const void* address, Dl_info* info) { return oldest_dladdr(address, info); }
char* wrapped_dlerror() { return oldest_dlerror(); }
int wrapped_pthread_once(pthread_once_t* control, void (*routine)()) { return oldest_pthread_once(control, routine); }
double wrapped_pow(double base, double exponent) { return oldest_pow(base, exponent); }
// 1 is the layout of struct stat on x86-64, the only one there ever was.
int wrapped_fstat(int descriptor, struct stat* status) { return oldest_fxstat(1, descriptor, status); }
void wrapped_wait(std::condition_variable* self, std::unique_lock<std::mutex>& lock) { oldest_wait(self, lock); }
