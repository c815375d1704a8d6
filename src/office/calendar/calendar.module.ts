import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CalendarEvent } from './calendar-event.entity.js';
import { CalendarService } from './calendar.service.js';
import { CalendarTools } from './calendar.tools.js';

/** The calendar of each person. */
@Module({
  imports: [TypeOrmModule.forFeature([CalendarEvent])],
  providers: [CalendarService, CalendarTools],
})
export class CalendarModule {}
