// Run by lib/doctor.ts in a process of its own, because a wrong libtorch or CPU can end a process. Loads the addon and
// says a line of JSON about it; that it got there is the news.
import { native } from './native';

console.log(JSON.stringify({ stage: 'loaded', info: native().info() }));
