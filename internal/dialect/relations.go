package dialect

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// Relation is what flags of one command have to do with each other.
type Relation string

// The relations. Each is an annotation of the command, with a line for the names that it holds for: an
// annotation of each flag, as cobra has, would take a quarter of the memory of the whole tree.
const (
	Exclusive Relation = "pmctl_flags_exclude_each_other"
	Together  Relation = "pmctl_flags_need_each_other"
	OneOf     Relation = "pmctl_flags_need_one"
)

// Relate declares a relation of flags that the command has.
func Relate(cmd *cobra.Command, relation Relation, names ...string) {
	line := strings.Join(names, " ")
	if before := cmd.Annotations[string(relation)]; before != "" {
		line = before + "\n" + line
	}
	annotate(cmd, string(relation), line)
}

// Related returns the names of flags that a relation holds for.
func Related(cmd *cobra.Command, relation Relation) (groups [][]string) {
	for line := range strings.Lines(cmd.Annotations[string(relation)]) {
		groups = append(groups, strings.Fields(line))
	}
	return groups
}

// ShowRelations tells cobra of a command's relations, whose completion then leaves out what is excluded.
func ShowRelations(cmd *cobra.Command) {
	for relation, show := range map[Relation]func(...string){
		Exclusive: cmd.MarkFlagsMutuallyExclusive, Together: cmd.MarkFlagsRequiredTogether, OneOf: cmd.MarkFlagsOneRequired,
	} {
		for _, names := range Related(cmd, relation) {
			show(names...)
		}
	}
}

// check refuses a command line with these flags of a relation given and those absent.
func (r Relation) check(given, absent []string) error {
	switch {
	case r == Exclusive && len(given) > 1:
		return fmt.Errorf("%s exclude each other: pass only one of them", strings.Join(given, " and "))
	case r == Together && len(given) > 0 && len(absent) > 0:
		return fmt.Errorf("%s requires %s", strings.Join(given, " and "), strings.Join(absent, " and "))
	case r == OneOf && len(given) == 0:
		return errors.New("missing flag: pass " + strings.Join(absent, " or "))
	}
	return nil
}

// checkRelations refuses a command line with flags that exclude or need each other.
func checkRelations(cmd *cobra.Command) error {
	for _, relation := range []Relation{Exclusive, Together, OneOf} {
		for _, names := range Related(cmd, relation) {
			var given, absent []string
			for _, name := range names {
				if cmd.Flags().Changed(name) {
					given = append(given, "--"+name)
				} else {
					absent = append(absent, "--"+name)
				}
			}
			if err := relation.check(given, absent); err != nil {
				return err
			}
		}
	}
	return nil
}
