package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/topup"
)

// Settings are the config files: the system's, which only its owner can change,
// the user's, and in each the profile that was asked for.
type Settings struct {
	System, User *File
	// Profile is the name of the profile, "" for none.
	Profile string
	// Layers are what sets something, from the first to be asked to the last: the
	// profile of the user's file, that of the system's, the user's file, the system's.
	Layers []Layer
}

// Layer is a file, or a profile in it.
type Layer struct {
	*File
	profile string
}

// Place names a setting of the layer, for people.
func (l Layer) Place(key string) string { return place(key, l.profile, l.Path) }

// ReadSettings reads the config files with a profile in them, "" for none. A user without a home
// folder, whose path is "", has no file. It fails with ErrProfile and as Read does.
func ReadSettings(system, user, profile string) (*Settings, error) {
	s := &Settings{User: new(File), Profile: profile}
	var err error
	if s.System, err = Read(system); err != nil {
		return nil, unread(err, "every user of the machine must be able to read it")
	}
	if user != "" {
		if s.User, err = Read(user); err != nil {
			return nil, unread(err, "set XDG_CONFIG_HOME, or else HOME, to a folder that you can read: the config file is looked for below it")
		}
	}
	files := s.files()
	if s.Profile != "" {
		for _, file := range files {
			if profile := file.Profiles[s.Profile]; profile != nil {
				s.Layers = append(s.Layers, Layer{profile, s.Profile})
			}
		}
		if len(s.Layers) == 0 {
			return nil, s.noProfile()
		}
	}
	for _, file := range files {
		s.Layers = append(s.Layers, Layer{file, ""})
	}
	return s, nil
}

// Without returns the path of a file that was found before and no longer is, "" for none.
func (s *Settings) Without(before *Settings) (path string) {
	for _, was := range before.files() {
		if was.Found && !slices.ContainsFunc(s.files(), func(f *File) bool { return f.Found && f.Path == was.Path }) {
			return was.Path
		}
	}
	return ""
}

// unread adds to an error of the file system what can be done about it.
func unread(err error, todo string) error {
	if !errors.As(err, new(*fs.PathError)) {
		return err
	}
	return hint.With(fmt.Errorf("cannot read the config file: %w", err), "%s", todo)
}

// files are the user's and the system's, as far as they are set.
func (s *Settings) files() []*File {
	return slices.DeleteFunc([]*File{s.User, s.System}, func(f *File) bool { return f == nil })
}

// ErrProfile is returned for a profile that no file has.
var ErrProfile = errors.New("unknown profile")

// noProfile is its error, with the profiles that there are.
func (s *Settings) noProfile() error {
	err := fmt.Errorf("%w %q", ErrProfile, s.Profile)
	if known := s.Profiles(); len(known) > 0 {
		return hint.With(err, "the profiles are %s", strings.Join(known, ", "))
	}
	return hint.With(err, "no config file defines a profile; add a section [profile.%s]", s.Profile)
}

// Profiles are the names of those that there are.
func (s *Settings) Profiles() []string {
	known := make(map[string]bool)
	for _, file := range s.files() {
		for name := range file.Profiles {
			known[name] = true
		}
	}
	return slices.Sorted(maps.Keys(known))
}

// ranked are the layers by who may set what binds: the system's file, its profile, the
// User's file, its profile. What one sets, those after it can tighten and not loosen.
func (s *Settings) ranked() []Layer {
	var ranked []Layer
	for _, file := range slices.Backward(s.files()) {
		ranked = append(ranked, Layer{file, ""})
		if profile := file.Profiles[s.Profile]; profile != nil {
			ranked = append(ranked, Layer{profile, s.Profile})
		}
	}
	return ranked
}

// Limits are the defaults with the files' rules over them.
func (s *Settings) Limits() (policy.Limits, error) {
	limits := policy.Default()
	var err error
	for _, layer := range s.ranked() {
		if limits, err = limits.With(layer.Rules); err != nil {
			return limits, err
		}
	}
	return limits, nil
}

// storeUpTo returns the store as it would be without the layers behind a rank, and what
// names it; "" where none does. For what is set outside of profiles no profile counts: it
// is the same in all of them.
func (s *Settings) storeUpTo(rank int) (location, from string) {
	ranked := s.ranked()
	own := ranked[rank].profile
	for _, layer := range s.Layers {
		if layer.Store == "" || layer.profile != "" && own == "" {
			continue
		}
		if at := slices.Index(ranked, layer); at <= rank {
			return layer.Store, layer.Place("store")
		}
	}
	return "", ""
}

// FundAuto returns the rules of pmctl fund auto, and where each key that a file sets is set. It fails
// as topup.Read does; the rules are there even so.
func (s *Settings) FundAuto() (topup.Rules, map[string]string, error) {
	texts := make([]map[string]string, len(s.Layers))
	for i, layer := range s.Layers {
		texts[i] = layer.FundAuto
	}
	rules, from, err := topup.Read(texts...)
	places := make(map[string]string, len(from))
	for key, i := range from {
		places[key] = s.Layers[i].Place(key)
	}
	return rules, places, err
}

// CheckBound refuses another store than the one in which a binding limit is counted: where
// a budget binds, its store does too. The location is that of the store that from names, and own
// is where it is when nothing names one. It fails with
// policy.ErrLimit for another store, and for a limit that needs a fixed one.
func (s *Settings) CheckBound(location, from string, getenv func(string) string, own func() (string, error)) error {
	for rank, binding := range s.ranked() {
		counted := binding.Counted()
		if counted == "" {
			continue
		}
		limit := binding.Place(policy.SpecOf(counted).Key)
		unfixed := func(decider string) error {
			return hint.With(hint.Kind(policy.ErrLimit, fmt.Errorf("%s needs a fixed store, but %s decides which store is used", limit, decider)),
				"set it in %s: store = \"/ABSOLUTE/PATH/store.db\", or a database with its host, port and name", binding.Path)
		}
		bound, boundBy := s.storeUpTo(rank)
		switch {
		case bound != "":
			if by := decidedBy(bound, getenv); by != "" {
				return unfixed(by)
			}
		case s.System != nil && binding.Path == s.System.Path:
			// The user's own folder is where the environment says.
			return unfixed("the environment")
		default:
			var err error
			if bound, err = own(); err != nil {
				return err
			}
			boundBy = binding.Place("store")
		}
		if !sameStore(location, bound) {
			return hint.With(hint.Kind(policy.ErrLimit, fmt.Errorf("%s: the store %s is not %s, which counts %s", from, store.Display(location), store.Display(bound), limit)),
				"omit %s, or change %s", from, boundBy)
		}
	}
	return nil
}
