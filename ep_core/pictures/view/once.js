// What is done once and kept; what fails is done anew when it is asked for again.

/** Return a function that does something async the first time only. */
export function once(make) {
  const made = onceEach(make);
  return () => made(null);
}

/** Return a function of a key that does something async once for each. */
export function onceEach(make) {
  const made = new Map();
  return (key) => {
    if (!made.has(key)) made.set(key, make(key).catch((error) => (made.delete(key), Promise.reject(error))));
    return made.get(key);
  };
}
