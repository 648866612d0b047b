# Settings of the tests' Request Tracker; read by RT itself. The folder and the port come from rt_serve.pl.
Set( $rtname,               'bridge-tests' );
Set( $Organization,         'tests.example' );
Set( $WebDomain,            '127.0.0.1' );
Set( $WebPort,              $ENV{RT_PORT} );
Set( $WebBaseURL,           "http://127.0.0.1:$ENV{RT_PORT}" );
Set( $WebPath,              '' );
Set( $DatabaseType,         'SQLite' );
Set( $DatabaseName,         "$ENV{RT_DIR}/rt.db" );
Set( $MasonDataDir,         "$ENV{RT_DIR}/mason" );
Set( $MasonSessionDir,      "$ENV{RT_DIR}/sessions" );
Set( $WebSessionClass,      'Apache::Session::File' );
Set( $CorrespondAddress,    'rt@tests.example' );
Set( $CommentAddress,       'rt-comment@tests.example' );
Set( $LogToSyslog,          undef );
Set( $LogToSTDERR,          'error' );
Set( $BcryptCost,           4 );                             # a login at the usual cost takes a quarter of a second
Set( $Timezone,             'US/Eastern' );                  # not the account's: nothing may rest on the server's zone
Set( $MailCommand,          'sendmailpipe' );
Set( $SendmailPath,         "$ENV{RT_DIR}/sendmail" );       # keeps the mails in a folder
Set( $SendmailArguments,    '' );
1;
