#!/usr/bin/perl
# Furnishes a fresh Request Tracker for the tests, writes what is in it to $RT_DIR/seed.json, and serves it.
#
# The kernel picks the port: the listening socket is made here and handed to RT's own server, the way Server::Starter
# does it. The port stands in $RT_DIR/port once the seed is in place.
#
#   people    root; bridge (the integration account, in a zone of its own, no administrator); alice and bob (staff);
#             mute (may look and do no more); carol@customer.example (no account, a requestor)
#   queue     ci; more are made by the tests; rights hold for all queues but those whose tests take them away
#   fields    External ID (text: the marker), Severity (list), Areas (list, several), Effort (text), Sealed (text that
#             the bridge may see but not set), all for all queues
use strict;
use warnings;
use Fcntl qw(F_GETFD F_SETFD FD_CLOEXEC);
use IO::Socket::INET;
use JSON ();

use lib '/usr/share/request-tracker5/lib';

my $dir    = $ENV{RT_DIR};
my $server = IO::Socket::INET->new( Listen => 64, LocalAddr => '127.0.0.1', LocalPort => 0, ReuseAddr => 1 )
    or die "no port: $!";
$ENV{RT_PORT} = $server->sockport;
furnish();
write_file( "$dir/port", $server->sockport );
fcntl( $server, F_SETFD, fcntl( $server, F_GETFD, 0 ) & ~FD_CLOEXEC ) or die "cannot hand over the socket: $!";
$ENV{SERVER_STARTER_PORT} = sprintf '127.0.0.1:%d=%d', $server->sockport, fileno $server;
exec '/usr/share/request-tracker5/libexec/rt-server', '--host', '127.0.0.1', '--port', $server->sockport,
    '--max-workers', 3;

sub furnish {
    require RT;
    RT->LoadConfig;
    RT->Init;
    $RT::Handle->dbh->do('PRAGMA journal_mode = WAL');    # of the file from now on: a write waits for the disk once
    require RT::AuthToken;
    my %people = map { $_->[0] => person(@$_) } (
        [ 'bridge', 'Bridge Account', 'Europe/Copenhagen' ],
        [ 'alice',  'Alice Agent',    'America/New_York' ],
        [ 'bob',    'Bob Builder',    '' ],
        [ 'mute',   'Mute Account',   '' ],
    );
    my $root = RT::User->new( RT->SystemUser );
    $root->Load('root');
    my %fields = map { $_->[0] => field(@$_) } (
        [ 'External ID', 'Freeform', 1 ],
        [ 'Severity',    'Select',   1, qw(S1 S2 S3) ],
        [ 'Areas',       'Select',   0, qw(Network Storage Printing) ],
        [ 'Effort',      'Freeform', 1 ],
        [ 'Sealed',      'Freeform', 1 ],
    );
    my @see  = qw(SeeQueue ShowTicket ShowTicketComments);
    my @work = qw(CreateTicket ReplyToTicket CommentOnTicket ModifyTicket OwnTicket ReassignTicket);
    grant( $people{bridge}, RT->System, @see, @work );
    grant( $people{mute},   RT->System, @see );
    grant( $people{$_}, RT->System, @see, @work, qw(DeleteTicket SeeCustomField ModifyCustomField) ) for qw(alice bob);
    for my $name ( keys %fields ) {
        for my $person ( @people{qw(bridge mute)} ) {
            grant( $person, $fields{$name}, 'SeeCustomField', $name eq 'Sealed' ? () : 'ModifyCustomField' );
        }
    }
    my $queue = RT::Queue->new( RT->SystemUser );
    need( $queue->Create( Name => 'ci' ) );
    my %seed = (
        tokens => { map { $_->Name => token($_) } $root, values %people },
        people => { map { $_->Name => $_->id + 0 } values %people },
        fields => { map { $_ => $fields{$_}->id + 0 } keys %fields },
    );
    write_file( "$dir/seed.json", JSON->new->encode( \%seed ) );
    return;
}

sub person {
    my ( $login, $name, $zone ) = @_;
    my $user = RT::User->new( RT->SystemUser );
    need( $user->Create(
        Name => $login, EmailAddress => "$login\@tests.example", RealName => $name, Timezone => $zone, Privileged => 1
    ) );
    return $user;
}

sub field {
    my ( $name, $type, $most, @values ) = @_;
    my $field = RT::CustomField->new( RT->SystemUser );
    need( $field->Create(
        Name => $name, Type => $type, MaxValues => $most, LookupType => RT::Ticket->CustomFieldLookupType
    ) );
    need( $field->AddValue( Name => $_ ) ) for @values;
    need( $field->AddToObject( RT::Queue->new( RT->SystemUser ) ) );    # no queue in particular: all of them
    return $field;
}

sub grant {
    my ( $person, $object, @rights ) = @_;
    need( $person->PrincipalObj->GrantRight( Right => $_, Object => $object ) ) for @rights;
    return;
}

sub token {
    my ($person) = @_;
    my ( $id, $message, $token ) = RT::AuthToken->new( RT->SystemUser )->Create(
        Owner => $person->id, Description => 'tests'
    );
    need( $id, $message );
    return $token;
}

sub need {
    my ( $done, $message ) = @_;
    die 'the seed failed: ' . ( $message // 'no reason given' ) . "\n" unless $done;
    return $done;
}

sub write_file {
    my ( $path, $text ) = @_;
    open my $file, '>', "$path.part" or die "$path: $!";
    print {$file} $text;
    close $file or die "$path: $!";
    rename "$path.part", $path or die "$path: $!";
    return;
}
