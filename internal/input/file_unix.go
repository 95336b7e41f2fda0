//go:build unix

package input

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// File is a file that is read until its context ends.
type File struct {
	*Descriptor
	file *os.File
	stop func() bool
}

// Open opens the file at path for reading. If ctx ends while a named pipe has no writer, or its
// writer is silent, opening and reading fail with ctx's cause. The caller closes the file.
func Open(ctx context.Context, path string) (*File, error) {
	file, err := open(ctx, path)
	if err != nil {
		return nil, err
	}
	in, err := NewDescriptor(int(file.Fd()), 0, func() error { return context.Cause(ctx) })
	if err != nil {
		file.Close()
		return nil, err
	}
	return &File{in, file, context.AfterFunc(ctx, func() { in.Close() })}, nil
}

// open opens a file. A named pipe opens once it has a writer; when ctx ends first, this process is
// that writer for a moment.
func open(ctx context.Context, path string) (file *os.File, err error) {
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		file, err = openFile(path)
	}()
	select {
	case <-opened:
		return file, err
	case <-ctx.Done():
	}
	// The other may not yet be where a writer can wake it.
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		writer, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
		if err == nil {
			writer.Close()
		} else if !errors.Is(err, unix.ENXIO) {
			// Another user's pipe: only that user, or the end of the process, can wake it.
			return nil, context.Cause(ctx)
		}
		select {
		case <-opened:
			if file != nil {
				file.Close()
			}
			return nil, context.Cause(ctx)
		case <-retry.C:
		}
	}
}

// Stat describes the file that is open.
func (f *File) Stat() (os.FileInfo, error) { return f.file.Stat() }

// Close closes the file.
func (f *File) Close() error {
	f.stop()
	f.Descriptor.Close()
	return f.file.Close()
}
