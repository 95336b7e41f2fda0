// Sbom writes the bill of materials of a Go program, in CycloneDX's JSON: the modules that
// the program itself says it was built from.
//
//	sbom PROGRAM FILE
package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"runtime/debug"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: sbom PROGRAM FILE")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func write(program, file string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	// It has neither a serial number nor a time, so that the same program has the same bill.
	bom := cdx.NewBOM()
	bom.SerialNumber = ""
	main := component(cdx.ComponentTypeApplication, &info.Main)
	bom.Metadata = &cdx.Metadata{Component: &main}
	components := []cdx.Component{
		component(cdx.ComponentTypeLibrary, &debug.Module{Path: "std", Version: info.GoVersion}),
	}
	for _, module := range info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		components = append(components, component(cdx.ComponentTypeLibrary, module))
	}
	bom.Components = &components
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom); err != nil {
		return err
	}
	return out.Close()
}

func component(kind cdx.ComponentType, module *debug.Module) cdx.Component {
	purl := "pkg:golang/" + module.Path + "@" + module.Version
	return cdx.Component{BOMRef: purl, Type: kind, Name: module.Path, Version: module.Version, PackageURL: purl}
}
