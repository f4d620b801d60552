package broker

import (
	"time"

	"github.com/mcpauth/mcpauth/broker/audit"
)

// These types of audit are part of the broker's own face.
type (
	AuditFolder    = audit.Folder
	AuditRecord    = audit.Record
	AuditArgument  = audit.Argument
	AuditLine      = audit.Line
	AuditEntry     = audit.Entry
	AuditFilter    = audit.Filter
	AuditFound     = audit.Found
	AuditVerdict   = audit.Verdict
	AuditFinding   = audit.Finding
	AuditStats     = audit.Stats
	AuditToolStats = audit.ToolStats
	AuditWatch     = audit.Watch
)

// Audit is the record of calls, for reading.
func (b *Broker) Audit() AuditFolder { return AuditFolder(b.auditDir()) }

// VerifyAudit checks that the record is as it was written. Errors are *Problem.
func (b *Broker) VerifyAudit() (AuditVerdict, error) {
	verdict, err := audit.Verify(b.auditDir())
	return verdict, asError(err)
}

// ParseDuration reads a time span as the configuration spells it: as Go does, or in
// whole days, as "7d"; of a second at least.
func ParseDuration(text string) (time.Duration, error) { return parseLimit(text) }
