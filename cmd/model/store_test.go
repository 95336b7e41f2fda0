package model

import (
	"os"
	"path/filepath"
	"slices"
)

// storeFiles are a store's files in a copy. The next process that opens it creates the shared
// memory again.
var storeFiles = []string{"store.db", "store.db-wal", "store.db-mark"}

// store copies the store, restores an older copy, or accepts that.
func (w *world) store() bool {
	folder := filepath.Join(w.folder, "pmctl")
	if _, err := os.Stat(filepath.Join(folder, "store.db")); err != nil {
		return w.progress()
	}
	switch what := w.choices.pick(4); {
	case w.copies == 0 || what == 0 && w.restores == 0:
		w.copies++
		w.say("the store is copied")
		for _, name := range storeFiles {
			_ = os.Remove(filepath.Join(w.folder, name))
			w.copyFile(filepath.Join(folder, name), filepath.Join(w.folder, name))
		}
	case what == 1 && w.restored() && len(w.alive()) < maxAlive:
		return w.acknowledge()
	default:
		w.restore(folder)
	}
	return true
}

// restored reports whether an older copy is in use, as the user knows.
func (w *world) restored() bool { return w.restores > w.acknowledged }

// restore restores the copy.
func (w *world) restore(folder string) {
	w.restores++
	w.met["restore"]++
	withMark := w.choices.pick(2) == 1
	w.say("the copy is restored (with its mark: %t)", withMark)
	for _, name := range append(slices.Clone(storeFiles), "store.db-shm") {
		if name == "store.db-mark" && !withMark {
			continue
		}
		to := filepath.Join(folder, name)
		if err := os.Remove(to); !os.IsNotExist(err) {
			w.must(err)
		}
		w.copyFile(filepath.Join(w.folder, name), to)
	}
}

// acknowledge makes the user accept that the store may lack records.
func (w *world) acknowledge() bool {
	const line = "store acknowledge"
	if !w.suite.knows(line, "yes") {
		return w.progress()
	}
	w.say("the user accepts that the store may lack something")
	c := w.start(line+" --yes", "any", true)
	w.finish(c)
	if c.code == exitDone {
		w.acknowledged = w.restores
		w.met["acknowledgement"]++
	}
	return true
}

// finish lets a command that asks no node finish.
func (w *world) finish(c *command) {
	for _, p := range w.waiting() {
		if p.command == c {
			w.release(p)
			w.finish(c)
			return
		}
	}
}

// copyFile copies a file if it is there.
func (w *world) copyFile(from, to string) {
	data, err := os.ReadFile(from)
	if os.IsNotExist(err) {
		return
	}
	w.must(err)
	w.must(os.WriteFile(to, data, 0o600))
}
