package broker

import (
	"runtime/debug"

	"github.com/mcpauth/mcpauth/broker/audit"
)

// Audit is the audit log, for reading.
func (b *Broker) Audit() audit.Folder { return audit.Folder(b.Paths.AuditDir()) }

// auditOptions are those of the audit log, as it is configured.
func (b *Broker) auditOptions() audit.Options {
	c, _ := b.Config() // a broken one is an error elsewhere
	return audit.Options{
		Dir: b.Paths.AuditDir(), MaxSize: c.Audit.MaxBytes(), Keep: c.Audit.KeepFor(), Version: Version(), Instance: audit.Instance(),
	}
}

// record writes one audit line.
func (b *Broker) record(r audit.Record) error {
	log, err := b.auditOptions().Open()
	if err != nil {
		return err
	}
	defer log.Close()
	return log.Append(r)
}

// Version is the version of this binary, as Go stamps it.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return ""
}
